import type { Logger } from 'pino';
import type { EmbeddedServer } from './embedded-server.js';

/** A server that is started again whenever it dies. */
export interface SupervisedServer {
  readonly name: string;
  /** The address, the same after every restart. */
  readonly url: string;
  readonly port: number;
  /** The process that runs now; undefined between a death and the restart. */
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** Pauses before a restart: at once the first time, slower for a server that keeps dying. */
const pauseMs = (failures: number): number => (failures === 0 ? 0 : Math.min(250 * 2 ** (failures - 1), 10_000));

/** After this long without a death a server counts as healthy again. */
const healthyAfterMs = 30_000;

/**
 * Starts a server and keeps it running.
 * @param start receives the port to use again, so that its clients find it where it was.
 * @throws what the first start throws; later failures are logged and tried again.
 */
export async function supervise(
  name: string,
  start: (preferredPort: number | undefined) => Promise<EmbeddedServer>,
  options: { preferredPort?: number; logger: Logger },
): Promise<SupervisedServer> {
  const { logger } = options;
  const first = await start(options.preferredPort);
  const stopping = new AbortController();
  let current: EmbeddedServer | undefined = first;

  const keepRunning = async (): Promise<void> => {
    let failures = 0;
    while (!stopping.signal.aborted) {
      if (current) {
        const since = Date.now();
        const how = await current.ended;
        if (stopping.signal.aborted) return;
        logger.warn({ server: name }, `${how}; starting it again`);
        // Children of the dead server must not live on beside the new one.
        await current.stop();
        current = undefined;
        if (Date.now() - since > healthyAfterMs) failures = 0;
      }
      await pause(pauseMs(failures), stopping.signal);
      if (stopping.signal.aborted) return;
      failures += 1;
      try {
        const restarted = await start(first.port);
        if (restarted.port !== first.port) {
          await restarted.stop();
          throw new Error(`port ${first.port} is taken by another program`);
        }
        current = restarted;
        logger.warn({ server: name, pid: restarted.pid }, `${name} is back`);
      } catch (error) {
        logger.error({ server: name, err: error }, `${name} could not be started again`);
      }
    }
  };
  const keeping = keepRunning();

  return {
    name,
    url: first.url,
    port: first.port,
    get pid() {
      return current?.pid;
    },
    stop: async () => {
      stopping.abort();
      await current?.stop();
      await keeping;
      await current?.stop();
    },
  };
}

function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, durationMs);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
