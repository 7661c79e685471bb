import type { IncomingMessage } from 'node:http';
import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { type Logger, Metrics, NestLogger } from '#libs/telemetry';
import { DispatchedWsAdapter } from './dispatched-ws-adapter.js';
import { OriginPolicy } from './origin-policy.js';
import { correlation, measure, noStore, originCheck } from './request-middleware.js';
import { securityHeaders } from './security-headers.js';
import type { TrustProxy } from './trusted-proxies.js';

export interface HttpAppOptions {
  readonly logger: Logger;
  /** Whether the address of the client is to be taken from `x-forwarded-for`: only behind a proxy that sets it. */
  readonly trustProxy: TrustProxy;
  /** Largest JSON body taken; 64 KiB unless told. */
  readonly bodyLimitBytes?: number;
  /** Requests with a limit of their own. */
  readonly largeBodies?: LargeBodies;
}

/** Which requests may have a JSON body larger than others. */
export interface LargeBodies {
  readonly method: string;
  readonly path: RegExp;
  readonly limitBytes: number;
}

/** Has its HTTP server from the start, so that providers (the upgrade dispatcher) can be given it. */
class EarlyServerAdapter extends ExpressAdapter {
  constructor() {
    super();
    super.initHttpServer({ forceCloseConnections: true });
  }

  override initHttpServer(): void {
    // Nest calls this after the providers are made; the server is already there.
  }
}

/**
 * A Nest app whose every request runs under a correlation id, is measured, gets the security headers and passes the
 * origin policy before anything reads its body. The root module must import `TelemetryModule` and `HttpModule`.
 */
export async function createHttpApp(
  rootModule: DynamicModule | Type,
  options: HttpAppOptions,
): Promise<NestExpressApplication> {
  const { logger } = options;
  const app = await NestFactory.create<NestExpressApplication>(rootModule, new EarlyServerAdapter(), {
    logger: new NestLogger(logger),
    bodyParser: false,
    abortOnError: false,
    forceCloseConnections: true,
  });
  app.disable('x-powered-by');
  app.set('trust proxy', options.trustProxy);
  app.set('query parser', 'simple');
  app.use(correlation(), measure(app.get(Metrics), logger), securityHeaders());
  app.use('/api', noStore());
  app.use(originCheck(app.get(OriginPolicy)));
  if (options.largeBodies) {
    const { method, path, limitBytes } = options.largeBodies;
    const type = (request: IncomingMessage) =>
      request.method === method && path.test(request.url ?? '') && isJson(request.headers['content-type']);
    // biome-ignore lint/correctness/useHookAtTopLevel: a method of Nest, not a hook of React
    app.useBodyParser('json', { limit: limitBytes, type });
  }
  // biome-ignore lint/correctness/useHookAtTopLevel: likewise
  app.useBodyParser('json', { limit: options.bodyLimitBytes ?? 64 * 1024 });
  // biome-ignore lint/correctness/useHookAtTopLevel: likewise
  app.useWebSocketAdapter(new DispatchedWsAdapter(app));
  return app;
}

const isJson = (contentType: string | undefined): boolean => /^application\/json\s*(;|$)/i.test(contentType ?? '');
