import { Worker } from 'node:worker_threads';
import type { Outcome } from '../simulate.js';
import type { SimulationOptions } from './options.js';
import { Summary } from './summary.js';

const BATCH = 20;

/**
 * Runs many seeds on several threads.
 * @param onProgress called after each batch
 * @param isEnough ends it early
 */
export async function runSeeds(
  options: Pick<SimulationOptions, 'seeds' | 'from' | 'jobs' | 'break'>,
  onProgress: (summary: Summary) => void,
  isEnough: (summary: Summary) => boolean,
): Promise<Summary> {
  const summary = new Summary();
  const end = options.from + options.seeds;
  let next = options.from;
  const takeBatch = () => {
    if (next >= end || isEnough(summary)) return undefined;
    const from = next;
    next = Math.min(end, from + BATCH);
    return { from, count: next - from };
  };
  const work = async () => {
    const worker = new Worker(new URL('./seed-worker.js', import.meta.url), { workerData: { broken: options.break } });
    try {
      for (let batch = takeBatch(); batch; batch = takeBatch()) {
        summary.add(await answer(worker, batch));
        onProgress(summary);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  return summary;
}

function answer(worker: Worker, batch: { from: number; count: number }): Promise<Outcome[]> {
  return new Promise((resolve, reject) => {
    worker.once('message', (outcomes: Outcome[]) => {
      worker.off('error', reject);
      resolve(outcomes);
    });
    worker.once('error', reject);
    worker.postMessage(batch);
  });
}
