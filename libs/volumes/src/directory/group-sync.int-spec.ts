import { tmpdir } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { GroupSync } from './group-sync.js';

/** Asks for `count` syncs while one is under way; answers how many were done one by one. */
async function together(sync: GroupSync, count: number, each: () => Promise<void> = async () => undefined) {
  let release = (): void => undefined;
  const first = sync.durable(() => new Promise((resolve) => (release = () => resolve())));
  let alone = 0;
  const others = Array.from({ length: count }, () =>
    sync.durable(async () => {
      alone++;
      await each();
    }),
  );
  release();
  const ends = await Promise.allSettled([first, ...others]);
  return { alone, failed: ends.filter(({ status }) => status === 'rejected').length };
}

describe('GroupSync', () => {
  it('makes few durable one by one, and many by one sync of the file system', async () => {
    const sync = new GroupSync(tmpdir());
    expect(await together(sync, 3)).toEqual({ alone: 3, failed: 0 });
    expect(await together(sync, 20)).toEqual({ alone: 0, failed: 0 });
  });

  it('falls back to each one where that fails, and tells those that fail then', async () => {
    const sync = new GroupSync('/nonexistent/goldleaf');
    expect(await together(sync, 20)).toEqual({ alone: 20, failed: 0 });
    const called: number[] = [];
    const refuse = async () => {
      if (called.push(0) % 2 === 0) throw new Error('no');
    };
    // Not tried again: the kernel tells an error only once.
    expect(await together(sync, 10, refuse)).toEqual({ alone: 10, failed: 5 });
  });
});
