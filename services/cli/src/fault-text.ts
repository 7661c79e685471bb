import { CommanderError } from 'commander';
import { CliError } from './cli-error.js';

export interface FaultText {
  readonly code: string;
  readonly text: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly exitCode: 1 | 2;
}

/** Faults of the libs whose message is written for people. By name, so that a command loads no lib that it does not use. */
const plainNames = ['ConfigError', 'VolumeError', 'ImageError', 'AppLayerError', 'DomainError'];

/** What a person and a program are told of a fault; an unexpected one with where it came from. */
export function faultText(error: unknown): FaultText {
  if (error instanceof CommanderError) {
    const text = error.message.replace(/^error: /, '');
    const named = /^[a-z]/.test(text) ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text;
    return { code: 'usage', text: `${named}\nSee goldleaf --help`, details: {}, exitCode: 2 };
  }
  if (error instanceof CliError) {
    const { code, message, details } = error;
    return { code, text: message, details, exitCode: code === 'usage' ? 2 : 1 };
  }
  if (error instanceof Error && plainNames.includes(error.name)) {
    const { code } = error as { code?: unknown };
    return {
      code: typeof code === 'string' ? code : 'config-invalid',
      text: error.message,
      details: {},
      exitCode: 1,
    };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'unexpected', text: `Something unexpected went wrong: ${text}`, details: {}, exitCode: 1 };
}
