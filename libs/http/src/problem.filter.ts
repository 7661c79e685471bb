import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject } from '@nestjs/common';
import type { Request, Response } from 'express';
import { DomainError, errors } from '#libs/kernel';
import { LOGGER, type Logger } from '#libs/telemetry';
import { definitionOfStatus, problemOf } from './problem.js';

/** An error of the body parser or of another middleware, as the `http-errors` package makes them. */
const middlewareError = (error: unknown): { status: number; type?: string } | undefined => {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  const type = 'type' in error && typeof error.type === 'string' ? error.type : undefined;
  return { status: error.status, type };
};

/** Connections that are gone while a request needs them: the same request may succeed in a moment. */
const lostConnection = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|57P0[123]|08\d{3}|53300)$/;

const isLostConnection = (error: unknown): boolean => {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string' && lostConnection.test(current.code)) return true;
    if ('driverError' in current && current.driverError !== current && isLostConnection(current.driverError))
      return true;
    if (current instanceof AggregateError && current.errors.some(isLostConnection)) return true;
    if (
      /connection terminated|connection is closed|driver not connected|command timed out|max retries per request|timeout exceeded when trying to connect/i.test(
        current.message,
      )
    )
      return true;
  }
  return false;
};

/** Makes a DomainError of whatever was thrown; details of the unexpected stay here. */
export function asDomainError(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  if (error instanceof HttpException) {
    // Nest makes these of the body parser's errors; the messages of other libraries are not for clients.
    const detail = { 400: 'The request could not be read: is the body valid JSON?', 413: 'The body is too large' };
    const status = error.getStatus();
    const known = status === 400 || status === 413 ? detail[status] : undefined;
    return new DomainError(definitionOfStatus(status), known, { cause: error });
  }
  const thrown = middlewareError(error);
  if (thrown?.type === 'entity.too.large') return new DomainError(errors.invalidRequest, 'The body is too large');
  if (thrown && thrown.status >= 400 && thrown.status < 500) {
    return new DomainError(definitionOfStatus(thrown.status), undefined, { cause: error });
  }
  if (isLostConnection(error)) return new DomainError(errors.unavailable, undefined, { cause: error });
  return new DomainError(errors.internal, undefined, { cause: error });
}

/** Answers every error as `application/problem+json`; what was not foreseen is logged and told as `internal`. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const error = asDomainError(thrown);
    if (error.status >= 500) {
      const level = error.code === errors.internal.code ? 'error' : 'warn';
      this.logger[level](
        { err: thrown, method: request.method, path: request.path, code: error.code },
        'request failed',
      );
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const { retryAfterSeconds } = error.facts;
    if (typeof retryAfterSeconds === 'number') response.setHeader('retry-after', String(Math.ceil(retryAfterSeconds)));
    if (error.status === 401) response.setHeader('www-authenticate', 'Bearer realm="goldleaf"');
    response
      .status(error.status)
      .setHeader('cache-control', 'no-store')
      .type('application/problem+json')
      .send(JSON.stringify(problemOf(error, request.path)));
  }
}
