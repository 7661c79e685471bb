import { type DynamicModule, Inject, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { type Clock, systemClock } from '#libs/kernel';
import { Metrics } from './metrics.js';

/** Injection token of the process's pino logger. */
export const LOGGER = Symbol('logger');

/** Injection token of the process's `Clock`. */
export const CLOCK = Symbol('clock');

/** Injects the process's logger: `constructor(@InjectLogger() private readonly logger: Logger)`. */
export const InjectLogger = (): ParameterDecorator & PropertyDecorator => Inject(LOGGER);

/** Gives every module of the app the logger (`LOGGER`), the `Metrics` and the clock (`CLOCK`). Import it once, in the root module. */
@Module({})
export class TelemetryModule {
  static register(options: {
    readonly logger: Logger;
    readonly metrics?: Metrics;
    readonly clock?: Clock;
  }): DynamicModule {
    return {
      module: TelemetryModule,
      global: true,
      providers: [
        { provide: CLOCK, useValue: options.clock ?? systemClock },
        { provide: LOGGER, useValue: options.logger },
        { provide: Metrics, useValue: options.metrics ?? new Metrics({ process: true }) },
      ],
      exports: [CLOCK, LOGGER, Metrics],
    };
  }
}
