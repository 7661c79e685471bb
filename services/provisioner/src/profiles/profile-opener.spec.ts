import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger, Metrics } from '#libs/telemetry';
import { ProfileMetrics } from '../metrics/profile-metrics.js';
import { ProfileOpener } from './profile-opener.js';
import { defaultProfileOptions } from './profile-options.js';

describe('ProfileOpener', () => {
  const [desktopId, volumeId] = [randomUUID(), randomUUID()];
  const versions = [3, 2, 1].map((number) => ({
    number,
    versionId: `${number}`.repeat(64),
    isClean: true,
    sizeBytes: 1,
  }));
  let log: unknown[];
  /** What is done, in this order. */
  let done: string[];

  beforeEach(() => {
    [log, done] = [[], []];
  });

  /** @param reports what the guest says of one version after the other */
  function openToRead(...reports: string[]) {
    const metrics = new ProfileMetrics(new Metrics());
    const exports = {
      open: async (_machine: string, { versionId }: { versionId: string }) => {
        done.push(`serve ${versionId[0]}`);
        return { id: 'a-disk', socketPath: '/none', exportName: 'none' };
      },
      reader: () => ({ readEnds: async () => {} }),
      close: async () => {},
    };
    const driver = {
      attachWritableVolume: async () => {},
      detachVolume: async () => {},
      runInGuest: async () => ({ exitCode: 0, stdout: reports.shift(), stderr: '' }),
    };
    const logger = createLogger({ service: 'test', destination: { write: (line) => log.push(JSON.parse(line)) } });
    const unused = {} as never;
    const opener = new ProfileOpener(
      ...([unused, unused, exports as never, metrics, unused, driver as never, defaultProfileOptions, logger] as const),
    );
    return opener.openToRead(
      { desktopId, policy: { excludedPaths: ['.cache'] } } as never,
      { id: volumeId, sizeMib: 1 } as never,
      versions as never,
      async ({ number }) => done.push(`reserve ${number}`),
      new AbortController().signal,
    );
  }

  it('goes down the versions for who only reads, and keeps each from retention before it is served', async () => {
    const opened = await openToRead('damaged\tno', 'damaged\tno', 'opened\t10\t1\tclean');
    expect(opened).toMatchObject({ number: 1, isOlder: true, totalBytes: 10, usedBytes: 1 });
    expect(done).toEqual([3, 2, 1].flatMap((number) => [`reserve ${number}`, `serve ${number}`]));
    expect(await openToRead('opened\t10\t1\tclean')).toMatchObject({ number: 3, isOlder: false });
    await expect(openToRead('damaged\tno', 'damaged\tno', 'damaged\tno')).rejects.toMatchObject({ reason: 'damaged' });
  });

  it('warns of excluded folders that a guest could not exclude, and says nothing otherwise', async () => {
    await openToRead('opened\t10\t1\tclean');
    expect(log).toEqual([]);
    await openToRead('opened\t10\t1\tclean\nkept\t.cache\nkept\t.local/tmp');
    expect(log).toEqual([
      expect.objectContaining({ level: 'warn', desktopId, volumeId, keptPaths: ['.cache', '.local/tmp'] }),
    ]);
  });
});
