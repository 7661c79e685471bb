import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { acceptCorrelationId, correlationHeader, type Logger, type Metrics, runWithCorrelation } from '#libs/telemetry';
import type { OriginPolicy } from './origin-policy.js';

/** Runs the request under its correlation id, taken from the client if it is fit to be logged, and sends it back. */
export const correlation = (): RequestHandler => (request: Request, response: Response, next: NextFunction) => {
  const id = acceptCorrelationId(request.headers[correlationHeader]);
  response.setHeader(correlationHeader, id);
  runWithCorrelation(id, next);
};

const quiet = /^\/(healthz|readyz|metrics|assets\/)/;

/** The pattern of the route, so that ids do not each become a time series. */
const routeOf = (request: Request): string => {
  const route: unknown = request.route;
  if (typeof route !== 'object' || route === null || !('path' in route)) return 'none';
  return typeof route.path === 'string' ? route.path : 'pattern';
};

/** Measures every request and logs one line for it; never the query, which may hold a ticket. */
export const measure =
  (metrics: Metrics, logger: Logger): RequestHandler =>
  (request: Request, response: Response, next: NextFunction) => {
    const startedAt = performance.now();
    const { method, path } = request;
    response.once('close', () => {
      const seconds = (performance.now() - startedAt) / 1000;
      const status = response.writableFinished ? response.statusCode : 499;
      metrics.httpRequestSeconds.observe({ method, route: routeOf(request), status: String(status) }, seconds);
      if (quiet.test(path)) return;
      const line = { method, path, status, durationMs: Math.round(seconds * 1000) };
      logger[path.startsWith('/api/') ? 'info' : 'debug'](line, 'request');
    });
    next();
  };

/** Refuses forged state changes, whatever the route. */
export const originCheck =
  (policy: OriginPolicy): RequestHandler =>
  (request: Request, _response: Response, next: NextFunction) => {
    policy.checkStateChange(request);
    next();
  };

/** Answers of the API are about one person and one moment: no cache may keep them. */
export const noStore = (): RequestHandler => (_request, response, next) => {
  response.setHeader('cache-control', 'no-store');
  next();
};
