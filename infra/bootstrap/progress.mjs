/** What a person sees while Goldleaf sets itself up. */

/** A fault with a message meant for the person at the terminal: printed without a stack. */
export class SetUpError extends Error {}

/** @param {number} ms */
const seconds = (ms) => (ms < 100 ? '' : ` (${(ms / 1000).toFixed(1)} s)`);

/**
 * Runs one step and prints a line about it; a step that had nothing to do says nothing.
 * @param {string} title
 * @param {(say: (text: string) => void) => Promise<string | undefined> | string | undefined} work
 *   Answers what was done, or undefined when nothing had to be. `say` prints a line on the way.
 */
export async function step(title, work) {
  const startedAt = performance.now();
  try {
    const done = await work((text) => console.log(`  … ${text}`));
    if (done !== undefined) console.log(`  ✓ ${title}: ${done}${seconds(performance.now() - startedAt)}`);
  } catch (error) {
    if (error instanceof SetUpError) throw new SetUpError(`${title}: ${error.message}`);
    throw error;
  }
}

/**
 * Runs `main`; a fault ends the process with exit code 1 and a message for people.
 * @param {() => Promise<void>} main
 */
export async function runToEnd(main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof SetUpError ? `\n  ✗ ${error.message}\n` : error);
    process.exit(1);
  }
}
