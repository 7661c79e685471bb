import { type DestinationStream, type Logger, pino } from 'pino';
import { currentCorrelationId } from './correlation.js';
import { redactFields, redactText } from './redaction.js';

const topLevelSecrets = ['password', 'token', 'ticket', 'authorization', 'cookie', 'secret'];

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface LoggerOptions {
  /** Which process speaks, e.g. `broker`. */
  readonly service: string;
  readonly level?: LogLevel;
  /** Standard output unless told. */
  readonly destination?: DestinationStream;
}

/**
 * The logger of a process: JSON lines with level, time, service and correlation id. Secrets are taken out by the name of
 * their property and, in running text, by their form; that is a safety net, not a licence to log them.
 */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service },
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: () => {
        const correlationId = currentCorrelationId();
        return correlationId === undefined ? {} : { correlationId };
      },
      serializers: {
        // redactFields has already spelt errors out.
        err: (err: unknown) => err,
        // pino does not pass the bindings of a child through a formatter, but it does through serializers.
        ...Object.fromEntries(topLevelSecrets.map((key) => [key, () => '[redacted]'])),
      },
      formatters: {
        level: (label) => ({ level: label }),
        log: redactFields,
        bindings: redactFields,
      },
      hooks: { streamWrite: redactText },
    },
    options.destination ?? pino.destination({ fd: 1, sync: true }),
  );
}

/** A logger that says nothing, for tests. */
export const silentLogger = (): Logger => pino({ level: 'silent' });
