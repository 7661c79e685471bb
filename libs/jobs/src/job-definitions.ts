import { z } from 'zod';
import { displaySizeSchema, idSchema } from '#libs/contracts';

export interface JobDefinition<Payload extends z.ZodType = z.ZodType> {
  readonly payload: Payload;
  /** `host`: done by the provisioner of one hypervisor host; `shared`: by any provisioner. */
  readonly scope: 'host' | 'shared';
  /** How many of these one provisioner does at a time. */
  readonly concurrency: number;
  readonly attempts: number;
  /** First wait before the next attempt; doubled each time. */
  readonly backoffMs: number;
  /** Names jobs of which the latest serves all: one that is added while one waits is dropped, or kept while it runs. */
  readonly latest?: (payload: z.infer<Payload>) => string;
  /** Names jobs that would do the same work twice: while one of them waits or runs, another is not added. */
  readonly dedupe?: (payload: z.infer<Payload>) => string;
}

const define = <Payload extends z.ZodType>(definition: JobDefinition<Payload>): JobDefinition<Payload> => definition;

/** Every job there is. */
export const jobDefinitions = {
  'pool.reconcile': define({
    payload: z.object({ poolId: idSchema }),
    scope: 'shared',
    concurrency: 4,
    attempts: 1,
    backoffMs: 0,
    latest: ({ poolId }) => poolId,
  }),
  'desktop.provision': define({
    payload: z.object({ desktopId: idSchema }),
    scope: 'host',
    concurrency: 2,
    attempts: 1,
    backoffMs: 0,
    dedupe: ({ desktopId }) => desktopId,
  }),
  'desktop.destroy': define({
    payload: z.object({ desktopId: idSchema }),
    scope: 'host',
    concurrency: 16,
    attempts: 4,
    backoffMs: 500,
    dedupe: ({ desktopId }) => desktopId,
  }),
  'desktop.resize': define({
    payload: z.object({ desktopId: idSchema, size: displaySizeSchema }),
    scope: 'host',
    concurrency: 8,
    attempts: 1,
    backoffMs: 0,
  }),
  /** Makes the applications of a desktop what the record of its person says, and starts what was asked for. */
  'desktop.apps': define({
    payload: z.object({ desktopId: idSchema }),
    scope: 'host',
    concurrency: 16,
    attempts: 1,
    backoffMs: 0,
    latest: ({ desktopId }) => desktopId,
  }),
  /** Brings the profile of its person to a desktop, or tries again to. */
  'desktop.profile': define({
    payload: z.object({ desktopId: idSchema }),
    scope: 'host',
    concurrency: 16,
    attempts: 1,
    backoffMs: 0,
    latest: ({ desktopId }) => desktopId,
  }),
  /** Puts an older version of a profile back, under the number that was taken for it. */
  'profile.restore': define({
    payload: z.object({ volumeId: idSchema, number: z.int(), fence: z.int(), from: z.int() }),
    scope: 'shared',
    concurrency: 2,
    attempts: 4,
    backoffMs: 1_000,
    dedupe: ({ volumeId, number }) => `${volumeId}-${number}`,
  }),
  /** Makes a version of another store the newest of its person's profile, as its row says. */
  'profile.import': define({
    payload: z.object({ importId: idSchema }),
    scope: 'shared',
    concurrency: 2,
    attempts: 4,
    backoffMs: 1_000,
    dedupe: ({ importId }) => importId,
  }),
  /** Looks into an older version of a profile, as its row says. */
  'profile.look': define({
    payload: z.object({ lookupId: idSchema }),
    scope: 'shared',
    concurrency: 2,
    attempts: 2,
    backoffMs: 500,
    dedupe: ({ lookupId }) => lookupId,
  }),
} as const;

export type JobName = keyof typeof jobDefinitions;
export type JobPayload<Name extends JobName> = z.infer<(typeof jobDefinitions)[Name]['payload']>;

export const jobNames = Object.keys(jobDefinitions) as JobName[];

/** Queues of one host are apart from those of another. BullMQ forbids `:` in names. */
export const queueName = (name: JobName, host: string | undefined): string =>
  host === undefined ? name : `${name}@${host}`;

/** What lies in Redis. */
export const jobEnvelopeSchema = z.object({ correlationId: z.string(), payload: z.unknown() });
