import { parseOptions, type SimulationOptions, usage } from './command/options.js';
import { failureText } from './command/print-failure.js';
import { runSeeds } from './command/run-seeds.js';
import { Summary } from './command/summary.js';
import { defectsOf } from './mutations/mutations.js';
import { simulate } from './simulate.js';

async function runOne({ trace, break: broken }: SimulationOptions, seed: number): Promise<boolean> {
  const onLine = trace ? { onLine: (line: string) => process.stdout.write(`${line}\n`) } : {};
  const outcome = await simulate({ seed, defects: defectsOf(broken), ...onLine });
  const summary = new Summary();
  summary.add([outcome]);
  console.log(summary.text());
  if (outcome.failure) console.log(`\n${failureText(outcome, broken)}`);
  return !outcome.failure;
}

/** With something broken on purpose it ends at the first batch that finds it, and that is what is wanted. */
async function runMany(options: SimulationOptions): Promise<boolean> {
  const isTerminal = process.stdout.isTTY;
  let toldAt = 0;
  const summary = await runSeeds(
    options,
    (soFar) => {
      if (!isTerminal && soFar.seeds - toldAt < 1_000) return;
      toldAt = soFar.seeds;
      process.stdout.write(
        isTerminal ? `\r  ${soFar.progress(options.seeds)} ` : `  ${soFar.progress(options.seeds)}\n`,
      );
    },
    ({ failures }) => options.break !== undefined && failures.length > 0,
  );
  if (isTerminal) process.stdout.write('\n');
  const [first] = summary.failures;
  console.log(summary.text());
  if (first) console.log(`\n${failureText(first, options.break)}`);
  return (first === undefined) === (options.break === undefined);
}

/** `npm run sim`. @returns whether all went as it should */
export async function run(args: readonly string[]): Promise<boolean> {
  let options: SimulationOptions;
  try {
    options = parseOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return false;
  }
  return options.seed === undefined ? runMany(options) : runOne(options, options.seed);
}
