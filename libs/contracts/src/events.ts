import { z } from 'zod';
import { desktopViewSchema } from './operations.js';
import { poolSummarySchema } from './pool.js';
import { sessionViewSchema } from './session.js';

/** What the `/events` websocket sends: the principal's own sessions, its pools, and for IT the desktops. */
export const eventMessageSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('hello'), data: z.object({ username: z.string() }) }),
  z.object({ event: z.literal('session'), data: sessionViewSchema }),
  z.object({ event: z.literal('pool'), data: poolSummarySchema }),
  z.object({ event: z.literal('desktop'), data: desktopViewSchema }),
]);
export type EventMessage = z.infer<typeof eventMessageSchema>;
