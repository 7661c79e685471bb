export type { Logger } from 'pino';
export {
  acceptCorrelationId,
  correlationHeader,
  currentCorrelationId,
  newCorrelationId,
  runWithCorrelation,
} from './correlation.js';
export { createLogger, type LoggerOptions, type LogLevel, silentLogger } from './logger.js';
export { Metrics } from './metrics.js';
export { NestLogger } from './nest-logger.js';
export { redactFields, redactText } from './redaction.js';
export { CLOCK, InjectLogger, LOGGER, TelemetryModule } from './telemetry.module.js';
