/**
 * A call to the broker that did not succeed. `code` is the stable code of the problem+json answer, or one of our own:
 * `unreachable` (no answer at all) and `unreadable` (an answer that the contract does not know).
 */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    /** HTTP status; 0 when there was no answer. */
    readonly status: number,
    readonly detail: string | null = null,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(detail ?? code);
    this.name = 'ApiError';
  }

  /** True when the API session is over and only a new sign-in helps. */
  get signedOut(): boolean {
    return this.status === 401 && this.code !== 'invalid-credentials';
  }
}

/** Turns anything thrown into an ApiError, so that callers have one kind to handle. */
export function toApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError('unreachable', 0);
}
