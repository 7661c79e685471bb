import { type DynamicModule, Inject, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { Metrics } from './metrics.js';

/** Injection token of the process's pino logger. */
export const LOGGER = Symbol('logger');

/** Injects the process's logger: `constructor(@InjectLogger() private readonly logger: Logger)`. */
export const InjectLogger = (): ParameterDecorator & PropertyDecorator => Inject(LOGGER);

/** Gives every module of the app the logger (`LOGGER`) and the `Metrics`. Import it once, in the root module. */
@Module({})
export class TelemetryModule {
  static register(options: { readonly logger: Logger; readonly metrics?: Metrics }): DynamicModule {
    return {
      module: TelemetryModule,
      global: true,
      providers: [
        { provide: LOGGER, useValue: options.logger },
        { provide: Metrics, useValue: options.metrics ?? new Metrics({ process: true }) },
      ],
      exports: [LOGGER, Metrics],
    };
  }
}
