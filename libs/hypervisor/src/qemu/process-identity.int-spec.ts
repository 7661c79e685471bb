import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ProcessTable } from './process-identity.js';

describe('ProcessTable', () => {
  let proc: string;
  let table: ProcessTable;

  const write = async (pid: number, startTicks: number, state = 'S', commandLine = ['qemu']) => {
    await mkdir(join(proc, `${pid}`), { recursive: true });
    const fields = [state, ...Array.from({ length: 18 }, (_, index) => index), startTicks, 0, 0];
    await writeFile(join(proc, `${pid}`, 'stat'), `${pid} (a name) with) spaces) ${fields.join(' ')}`);
    await writeFile(join(proc, `${pid}`, 'cmdline'), `${commandLine.join('\0')}\0`);
  };
  const boot = (id: string) => writeFile(join(proc, 'sys/kernel/random/boot_id'), `${id}\n`);

  beforeEach(async () => {
    proc = await mkdtemp(join(tmpdir(), 'goldleaf-proc-'));
    await mkdir(join(proc, 'sys/kernel/random'), { recursive: true });
    await boot('boot-1');
    table = new ProcessTable(proc);
  });
  afterEach(() => rm(proc, { recursive: true }));

  it('knows a process again, and takes neither a recycled pid nor another boot for it', async () => {
    await write(42, 1_000);
    const identity = await table.identify(42);
    expect(identity).toEqual({ pid: 42, startTicks: 1_000, bootId: 'boot-1' });
    if (!identity) return;
    expect(await table.isAlive(identity)).toBe(true);

    await write(42, 2_000);
    expect(await table.isAlive(identity)).toBe(false);

    await write(42, 1_000);
    await boot('boot-2');
    expect(await table.isAlive(identity)).toBe(false);
  });

  it('counts a process that only waits for its parent as gone', async () => {
    await write(43, 5, 'Z');
    expect(await table.identify(43)).toBeUndefined();
    expect(await table.identify(44)).toBeUndefined();
  });

  it('reads the memory of a process, but not that of another with its pid or of one that has ended', async () => {
    await write(45, 1_000);
    await writeFile(
      join(proc, '45/smaps_rollup'),
      '5000-7000 ---p 0 0 0 [rollup]\nRss:  300 kB\nPss_Anon: 4 kB\nPss:  200 kB\n',
    );
    const identity = await table.identify(45);
    if (!identity) throw new Error('not found');
    expect((await table.memoryKiB(identity))?.get('Pss')).toBe(200);
    await write(45, 2_000);
    expect(await table.memoryKiB(identity)).toBeUndefined();
    expect(await table.memoryKiB({ ...identity, pid: 46 })).toBeUndefined();
  });

  it('finds processes by a whole argument only', async () => {
    await write(50, 1, 'S', ['qemu', '-name', 'goldleaf-a']);
    await write(51, 1, 'S', ['qemu', '-name', 'goldleaf-ab']);
    expect((await table.findByArgument('goldleaf-a')).map((identity) => identity.pid)).toEqual([50]);
  });
});
