/** The address of a server that jest's global set-up started. @throws Error outside the int and e2e suites. */
export function serverAddress(variable: 'TEST_DATABASE_URL' | 'TEST_REDIS_URL' | 'TEST_GUACD_URL'): string {
  const address = process.env[variable];
  if (!address) throw new Error(`${variable} is not set: only .int-spec.ts and .e2e-spec.ts files have test servers`);
  return address;
}
