import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

type Taken = { held: true; release: () => void } | { held: false; holder: string };
interface LockModule {
  takeLock(name: string, about: string): Promise<Taken>;
  waitForLock(name: string, onWait: (holder: string) => void): Promise<() => void>;
}
// Set-up is plain JavaScript, as it runs before there is a compiler.
const { takeLock, waitForLock } = (await import(join(import.meta.dirname, 'lock.mjs'))) as LockModule;

describe('takeLock', () => {
  it('is held once, and says by whom', async () => {
    const name = randomUUID();
    const first = await takeLock(name, 'pid 7, port 8080');
    expect(first.held).toBe(true);
    expect(await takeLock(name, 'me')).toEqual({ held: false, holder: 'pid 7, port 8080' });
    expect((await takeLock(randomUUID(), 'me')).held).toBe(true);
    if (first.held) first.release();
    expect((await takeLock(name, 'me')).held).toBe(true);
  });

  it('is given back when its holder is killed', async () => {
    const name = randomUUID();
    const folder = mkdtempSync(join(tmpdir(), 'goldleaf-lock-'));
    const script = join(folder, 'holder.mjs');
    const lock = join(import.meta.dirname, 'lock.mjs');
    writeFileSync(
      script,
      `import { takeLock } from ${JSON.stringify(lock)};
       process.send((await takeLock(${JSON.stringify(name)}, 'the child')).held);
       setInterval(() => {}, 1000);`,
    );
    const holder = fork(script, { execArgv: [] });
    expect(await new Promise((resolve) => holder.once('message', resolve))).toBe(true);
    expect(await takeLock(name, 'me')).toEqual({ held: false, holder: 'the child' });
    let told = '';
    const waiting = waitForLock(name, (by) => {
      told = by;
      holder.kill('SIGKILL');
    });
    (await waiting)();
    expect(told).toBe('the child');
    rmSync(folder, { recursive: true });
  });
});
