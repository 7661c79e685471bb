import { z } from 'zod';
import { BareSite } from './bare-site.js';

/**
 * For a test: a provisioner in a process of its own, at the places of the first argument (JSON). It says `started`, and
 * saves the profile of each desktop that it is told of; where it is told a step as well, it kills itself there.
 */
const orderSchema = z.object({
  desktopId: z.string(),
  dieAt: z.object({ when: z.enum(['before', 'after']), call: z.string() }).nullable(),
});
export type SaveOrder = z.infer<typeof orderSchema>;

const placesSchema = z.object({
  databaseUrl: z.string(),
  redisUrl: z.string(),
  stateDir: z.string(),
  masterKey: z.string(),
  reconcileMs: z.number(),
});

const site = await BareSite.start(placesSchema.parse(JSON.parse(process.argv[2] ?? '')));
process.on('message', (message) => {
  const { desktopId, dieAt } = orderSchema.parse(message);
  site.steps.listener = (when, call) => {
    if (when === dieAt?.when && call === dieAt.call) process.kill(process.pid, 'SIGKILL');
  };
  site.save(desktopId).then(
    () => process.send?.('saved'),
    (error: unknown) => process.send?.(`not saved: ${String(error)}`),
  );
});
process.send?.('started');
