import { ConfigError } from '#libs/config';
import { listenFault } from '#libs/embedded';

/** The address that Goldleaf should serve on belongs to another program. */
export class PortTakenError extends Error {}

/**
 * Checks before anything is started that we can serve there in the end.
 * @throws PortTakenError, or ConfigError when the host or the port cannot be used at all
 */
export async function requireListening(port: number, host: string): Promise<void> {
  const fault = await listenFault(port, host);
  if (fault === undefined) return;
  if (fault === 'EADDRINUSE') {
    throw new PortTakenError(`port ${port} is taken by another program: set GOLDLEAF_PORT to a free one`);
  }
  if (fault === 'EACCES') throw new ConfigError(['GOLDLEAF_PORT: expected a port that may be used without root']);
  throw new ConfigError([`GOLDLEAF_HOST: expected a name or an address of this machine (${fault})`]);
}
