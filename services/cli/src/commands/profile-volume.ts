import type { Broker } from '../api/broker.js';
import { CliError, UsageError } from '../cli-error.js';

export interface ContextOptions {
  readonly context?: string;
}

/**
 * The context of the profile that is meant: the one that was named, or the only one.
 * @throws UsageError where the person has several; CliError `not-found` where they have none
 */
export async function contextOf(broker: Broker, username: string, { context }: ContextOptions): Promise<string> {
  if (context !== undefined) return context;
  const contexts = (await broker.profileVolumes(username)).map((volume) => volume.context);
  const [only] = contexts;
  if (only === undefined) throw new CliError(`${username} has no profile`, 'not-found');
  if (contexts.length > 1)
    throw new UsageError(`${username} has several profiles: add --context ${contexts.join(' or ')}`);
  return only;
}
