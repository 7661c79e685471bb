import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

/** The header that carries the correlation id in and out. */
export const correlationHeader = 'x-correlation-id';

const storage = new AsyncLocalStorage<string>();

export const newCorrelationId = (): string => randomUUID();

/** Runs `fn`, and all that it starts, under the correlation id: every log line of it carries the id. */
export const runWithCorrelation = <T>(correlationId: string, fn: () => T): T => storage.run(correlationId, fn);

/** The id of the request or job under way, or undefined outside any. */
export const currentCorrelationId = (): string | undefined => storage.getStore();

/** The given id if it is safe to log and to send back (8 to 64 letters, digits, `.`, `_`, `-`), otherwise a new one. */
export const acceptCorrelationId = (candidate: unknown): string =>
  typeof candidate === 'string' && /^[A-Za-z0-9._-]{8,64}$/.test(candidate) ? candidate : newCorrelationId();
