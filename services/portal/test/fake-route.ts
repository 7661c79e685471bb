import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: unknown;
  /** What the path's pattern caught. */
  readonly id: string;
  readonly second: string;
}

/** Method and path without `/api/v1`, e.g. `GET /me`, and what answers it. */
export type Route = readonly [RegExp, (call: Call) => void];
