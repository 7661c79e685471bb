import type { ErrorDefinition } from './domain-error.js';

const define = (code: string, status: number, title: string): ErrorDefinition => ({ code, status, title });

/** The catalogue of all errors that a client can meet. A code never changes its meaning. */
export const errors = {
  invalidRequest: define('invalid-request', 400, 'The request is not valid'),
  notSignedIn: define('not-signed-in', 401, 'Sign in first'),
  invalidCredentials: define('invalid-credentials', 401, 'The user name or the password is wrong'),
  forbidden: define('forbidden', 403, 'You are not allowed to do this'),
  originRefused: define('origin-refused', 403, 'This web page may not use this service'),
  ticketRefused: define('ticket-refused', 403, 'The ticket is not valid, was used before or has expired'),
  notFound: define('not-found', 404, 'There is no such thing, or you may not see it'),
  conflict: define('conflict', 409, 'This cannot be done in the present state'),
  layerUntrusted: define('layer-untrusted', 422, 'The application layer is not signed by a key that is trusted here'),
  idempotencyKeyReused: define('idempotency-key-reused', 422, 'This Idempotency-Key was used for another request'),
  tooManyAttempts: define('too-many-attempts', 429, 'Too many failed attempts; wait before you try again'),
  internal: define('internal', 500, 'Something went wrong on our side'),
  directoryUnavailable: define('directory-unavailable', 503, 'The user directory does not answer'),
  unavailable: define('unavailable', 503, 'A part that this needs does not answer; try again in a moment'),
} as const;
