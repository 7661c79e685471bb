/** What the files of one jest run share; it is removed at the end of the run. @throws Error outside the int and e2e suites. */
export function runFolder(): string {
  const folder = process.env.TEST_RUN_FOLDER;
  if (!folder) throw new Error('TEST_RUN_FOLDER is not set: only .int-spec.ts and .e2e-spec.ts files have one');
  return folder;
}
