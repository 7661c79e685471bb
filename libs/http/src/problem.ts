import type { Problem } from '#libs/contracts';
import { DomainError, type ErrorDefinition, errors } from '#libs/kernel';
import { currentCorrelationId } from '#libs/telemetry';

/** A request that a schema refused; `issues` name the fields and never repeat the values. */
export class InvalidRequestError extends DomainError {
  constructor(
    readonly issues: readonly { readonly path: string; readonly message: string }[],
    detail = 'Some fields are missing or not as they should be',
  ) {
    super(errors.invalidRequest, detail);
  }
}

/** The problem+json body (RFC 9457) of an error that a client may see. */
export function problemOf(error: DomainError, instance?: string): Problem {
  const correlationId = currentCorrelationId();
  return {
    ...error.facts,
    type: `urn:goldleaf:problem:${error.code}`,
    title: error.title,
    status: error.status,
    code: error.code,
    ...(error.message === error.title ? {} : { detail: error.message }),
    ...(instance === undefined ? {} : { instance }),
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(error instanceof InvalidRequestError ? { errors: [...error.issues] } : {}),
  };
}

/** What an HTTP status that a library chose means in our catalogue. */
export function definitionOfStatus(status: number): ErrorDefinition {
  if (status === 401) return errors.notSignedIn;
  if (status === 403) return errors.forbidden;
  if (status === 404 || status === 405) return errors.notFound;
  if (status === 409) return errors.conflict;
  if (status === 503) return errors.unavailable;
  return status >= 400 && status < 500 ? errors.invalidRequest : errors.internal;
}
