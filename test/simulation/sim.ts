import { simulate } from './simulate.js';

const seed = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 1);
const started = performance.now();
let failed = 0;
let steps = 0;
for (let index = 0; index < count; index += 1) {
  const outcome = await simulate({
    seed: seed + index,
    ...(process.argv[4] ? { onLine: (line: string) => console.log(line) } : {}),
  });
  steps += outcome.steps;
  if (outcome.failure) {
    failed += 1;
    console.log(outcome.seed, outcome.steps, outcome.virtualMs, outcome.failure.message.slice(0, 300));
  }
}
const seconds = (performance.now() - started) / 1000;
console.log({ failed, steps, seconds, perSecond: count / seconds });
