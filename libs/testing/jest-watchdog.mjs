/**
 * A reporter that lets no run of jest hang silently: it says which file takes long, ends the run when one takes longer
 * than any may, and names what keeps the process alive after the last test.
 */
const SAY_AFTER_MS = 60_000;
const ENDS_WITHIN_MS = 60_000;
const FILE_LIMIT_MS = 900_000;

export default class Watchdog {
  #running = new Map();
  #timer;

  onRunStart() {
    this.#timer = setInterval(() => this.#look(), SAY_AFTER_MS);
    this.#timer.unref();
  }

  onTestFileStart({ path }) {
    this.#running.set(path, Date.now());
  }

  onTestFileResult({ path }) {
    this.#running.delete(path);
  }

  onRunComplete() {
    clearInterval(this.#timer);
    // Not kept alive by itself: fires only when something else keeps the process.
    setTimeout(() => {
      console.error(`  ✗ all tests ended, the process did not: ${process.getActiveResourcesInfo().join(', ')}`);
      process.exit(1);
    }, ENDS_WITHIN_MS).unref();
  }

  #look() {
    for (const [path, since] of this.#running) {
      const tookMs = Date.now() - since;
      if (tookMs < SAY_AFTER_MS) continue;
      console.error(`  … ${path} has run for ${Math.round(tookMs / 1000)} s`);
      if (tookMs < FILE_LIMIT_MS) continue;
      console.error(`  ✗ longer than any file may: the run ends here. ${process.getActiveResourcesInfo().join(', ')}`);
      process.exit(1);
    }
  }
}
