import { z } from 'zod';
import { idSchema } from './primitives.js';
import { sessionStateSchema } from './states.js';

/**
 * What services tell each other over Redis after a commit. They carry names only: the receiver reads the row, so a
 * lost or repeated message does no harm.
 */
export const busMessageSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('session'),
    sessionId: idSchema,
    username: z.string(),
    state: sessionStateSchema,
    /** The desktop the session has now; tunnels to any other desktop of this session must close. */
    desktopId: idSchema.nullable(),
  }),
  z.object({ type: z.literal('pool'), poolId: idSchema }),
  z.object({ type: z.literal('desktop'), desktopId: idSchema, poolId: idSchema }),
  z.object({ type: z.literal('sign-out'), tokenHash: z.string() }),
  /** A gateway has opened a tunnel: the session's older tunnels, on any gateway, give way to it. */
  z.object({
    type: z.literal('connection'),
    sessionId: idSchema,
    connectionId: idSchema,
    openedAtMs: z.number(),
  }),
]);
export type BusMessage = z.infer<typeof busMessageSchema>;
