import { join } from 'node:path';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { ExpressAdapter } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import { BROKER_OPTIONS, type BrokerOptions } from '../broker-options.js';

const oneYearMs = 365 * 24 * 3600 * 1000;
/** Vite puts a hash of the content into the names of what lies here. */
const isHashed = (path: string): boolean => path.includes('/assets/');
const notPages = /^\/(api|healthz|readyz|metrics|tunnel|events|assets)(\/|$)/;

/** Serves the built portal. Its pages have addresses of their own, so any that is no file gets the same index.html. */
@Injectable()
export class PortalFiles implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost<ExpressAdapter>,
    @Inject(BROKER_OPTIONS) private readonly options: BrokerOptions,
  ) {}

  onModuleInit(): void {
    const adapter = this.host.httpAdapter;
    const folder = this.options.portalFolder;
    // biome-ignore lint/correctness/useHookAtTopLevel: a method of Nest, not a hook of React
    adapter.useStaticAssets(folder, {
      index: false,
      maxAge: oneYearMs,
      setHeaders: (response: Response, path: string) =>
        response.setHeader('cache-control', isHashed(path) ? 'public, max-age=31536000, immutable' : 'no-cache'),
    });
    adapter.use((request: Request, response: Response, next: NextFunction) => {
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      const isPage = isRead && !notPages.test(request.path) && !/\.\w+$/.test(request.path);
      if (!isPage || !request.accepts('html')) {
        next();
        return;
      }
      const headers = { 'cache-control': 'no-cache' };
      response.sendFile(join(folder, 'index.html'), { headers, dotfiles: 'allow', cacheControl: false }, (error) => {
        // Not built, or the browser went away: the first is a 404, the second needs no answer.
        if (error && !response.headersSent) next();
      });
    });
  }
}
