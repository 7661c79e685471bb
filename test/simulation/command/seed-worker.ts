import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { ignoreCorrelation } from '../engine/ignore-correlation.js';
import { defectsOf } from '../mutations/mutations.js';
import { type Outcome, simulate } from '../simulate.js';

ignoreCorrelation();
const { broken } = z.object({ broken: z.string().optional() }).parse(workerData);
const batchSchema = z.object({ from: z.number(), count: z.number() });

/** Runs each batch of seeds that it is sent, and answers with the outcomes. */
parentPort?.on('message', async (message: unknown) => {
  const { from, count } = batchSchema.parse(message);
  const outcomes: Outcome[] = [];
  for (let seed = from; seed < from + count; seed += 1) {
    outcomes.push(await simulate({ seed, defects: defectsOf(broken) }));
  }
  parentPort?.postMessage(outcomes);
});
