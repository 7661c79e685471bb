import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hostMaySwap } from './host-swap.js';

const HEADING = 'Filename\tType\tSize\tUsed\tPriority\n';

describe('hostMaySwap', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-swap-'));
    await mkdir(join(dir, 'self'));
    await mkdir(join(dir, 'cgroup/system.slice/goldleaf.service'), { recursive: true });
    await writeFile(join(dir, 'self/cgroup'), '5:memory:/other\n0::/system.slice/goldleaf.service\n');
  });
  afterEach(() => rm(dir, { recursive: true }));

  const look = () => hostMaySwap({ procDir: dir, cgroupDir: join(dir, 'cgroup') });
  const swaps = (lines: string) => writeFile(join(dir, 'swaps'), HEADING + lines);
  const limit = (group: string, value: string) =>
    writeFile(join(dir, 'cgroup', group, 'memory.swap.max'), `${value}\n`);

  it('is true of a host that has swap, unless a control group keeps machines from it', async () => {
    await swaps('');
    expect(await look()).toBe(false);
    await swaps('/dev/vdb\tpartition\t1048572\t0\t-2\n');
    expect(await look()).toBe(true);
    await limit('system.slice/goldleaf.service', 'max');
    expect(await look()).toBe(true);
    await limit('system.slice/goldleaf.service', '0');
    expect(await look()).toBe(false);
    await limit('system.slice/goldleaf.service', '4096');
    expect(await look()).toBe(true);
    await limit('system.slice', '0');
    expect(await look()).toBe(false);
  });

  it('is false where nothing says that there is swap', async () => {
    expect(await look()).toBe(false);
  });
});
