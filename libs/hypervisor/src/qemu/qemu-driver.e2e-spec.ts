import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { testImage } from '#libs/testing';
import { describeHypervisorDriver } from '../driver-conformance.js';
import type { MachineImage } from '../machine.js';
import { ProcessTable } from './process-identity.js';
import { pidOf, qemuConformance, shell } from './qemu-conformance-setup.js';
import { QemuDriver } from './qemu-driver.js';
import type { QemuDriverOptions } from './qemu-options.js';
import { openWithQemu } from './view-test-opener.js';

const execFileAsync = promisify(execFile);
const logger = pino({ level: 'warn' });
const processes = new ProcessTable();
/** Slow hosts without hardware virtualisation, with other tests beside. */
const BOOT_TIMEOUT_MS = 150_000;

/** Root gives its rights away, as in production; others keep what they have. */
const machineUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
const newDriver = (machinesDir: string, over: Partial<QemuDriverOptions> = {}) =>
  new QemuDriver({
    machinesDir,
    logger,
    machineUser,
    displayPorts: { first: 21_900, last: 21_999 },
    openNbdView: openWithQemu,
    ...over,
  });

async function newMachinesDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'goldleaf-machines-'));
  await execFileAsync('chmod', ['711', dir]);
  return dir;
}

describeHypervisorDriver('booting qemu', async () => {
  const machinesDir = await newMachinesDir();
  return qemuConformance({
    newDriver: () => newDriver(machinesDir),
    machinesDir,
    image: await testImage(logger),
    forks: false,
    bootTimeoutMs: BOOT_TIMEOUT_MS,
    close: () => rm(machinesDir, { recursive: true }),
  });
});

describe('QemuDriver', () => {
  let machinesDir: string;
  let image: MachineImage;
  let driver: QemuDriver;
  const spec = () => ({ id: randomUUID(), image, vcpus: 1, memoryMiB: 768, hostname: 'desktop' });

  beforeAll(async () => {
    machinesDir = await newMachinesDir();
    image = await testImage(logger);
    driver = newDriver(machinesDir);
    await driver.start();
  });
  afterAll(async () => {
    for (const { id } of await driver.list()) await driver.destroy(id);
    await driver.stop();
    await rm(machinesDir, { recursive: true });
  });

  it('shuts the guest in: neither the host nor another machine nor the world can be reached', async () => {
    const served: string[] = [];
    const server = createServer((request, response) => {
      served.push(request.url ?? '');
      response.end('secret of the host');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const other = await driver.create(spec());
    const { id } = await driver.create(spec());
    await driver.waitReady(id, BOOT_TIMEOUT_MS);
    await shell(
      driver,
      id,
      'ip address add 10.0.2.15/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.2.2',
    );
    const targets = [
      `10.0.2.2/${port}`,
      `10.0.2.2/${other.display?.port}`,
      `127.0.0.1/${other.display?.port}`,
      '10.0.2.3/53',
      '10.0.2.16/22',
      '1.1.1.1/53',
    ];
    const script = targets.map((to) => `timeout 3 bash -c ': < /dev/tcp/${to}' 2>/dev/null && echo ${to}`).join('\n');
    const { stdout } = await shell(driver, id, `${script}\ntrue`);
    expect(stdout).toBe('');
    expect(served).toEqual([]);
    server.close();

    // The same guest as the host sees it: no rights, and no secret on the command line.
    const pid = await pidOf(id);
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    expect(status).toMatch(/^Seccomp:\t2$/m);
    if (machineUser) expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
    const { display } = await driver.inspect(id).then((machine) => machine ?? { display: undefined });
    expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(display?.password);
    expect(await readFile(`/proc/${pid}/environ`, 'utf8')).not.toMatch(/GOLDLEAF|DATABASE|PASSWORD/);

    const clipboard = await shell(
      driver,
      id,
      'for i in $(seq 60); do pgrep -x spice-vdagent && exit; sleep 0.5; done; exit 1',
    );
    expect(clipboard.exitCode).toBe(0);
    await driver.destroy(other.id);
    await driver.destroy(id);
  });

  it('says no-space, naming the need, and leaves nothing', async () => {
    const folder = await newMachinesDir();
    const crammed = newDriver(folder, { minFreeDiskMiB: 1_000_000_000 });
    await crammed.start();
    await expect(crammed.create(spec())).rejects.toMatchObject({
      code: 'no-space',
      message: expect.stringContaining('1000000000'),
    });
    expect(await crammed.list()).toEqual([]);
    await crammed.stop();
    await rm(folder, { recursive: true });
  });

  it('says image-damaged of a kernel that is none', async () => {
    const kernelPath = join(machinesDir, 'not-a-kernel');
    await writeFile(kernelPath, 'hello '.repeat(500), { mode: 0o644 });
    await expect(driver.create({ ...spec(), image: { ...image, kernelPath } })).rejects.toMatchObject({
      code: 'image-damaged',
    });
    await rm(kernelPath);
  });

  it('sweeps at its start what a process left half-made that died, and spares what another is making', async () => {
    const { id } = await driver.create(spec());
    const pid = await pidOf(id);
    await driver.stop();
    await rm(join(machinesDir, id, 'machine.json'));
    const creatorPath = join(machinesDir, id, 'creator.json');
    await writeFile(creatorPath, JSON.stringify(await processes.identify(process.pid)));
    driver = newDriver(machinesDir);
    await driver.start();
    expect(await processes.identify(pid)).toBeDefined();
    await driver.stop();

    await writeFile(creatorPath, JSON.stringify({ ...(await processes.identify(process.pid)), startTicks: 1 }));
    driver = newDriver(machinesDir);
    await driver.start();
    expect(await processes.identify(pid)).toBeUndefined();
    expect(await readdir(machinesDir)).not.toContain(id);
  });

  it('does not take a process with a recycled pid for its machine, nor kill it', async () => {
    const { id } = await driver.create(spec());
    await driver.stop();
    const pid = await pidOf(id);
    process.kill(pid, 'SIGKILL');
    const recordPath = join(machinesDir, id, 'machine.json');
    const record: { process: { pid: number } } = JSON.parse(await readFile(recordPath, 'utf8'));
    record.process.pid = process.pid;
    await writeFile(recordPath, JSON.stringify(record));
    driver = newDriver(machinesDir);
    await driver.start();
    expect((await driver.inspect(id))?.state).toBe('ended');
    await driver.destroy(id);
  });

  it('says which folder keeps the unprivileged user out', async () => {
    if (!machineUser) return;
    const closed = await mkdtemp(join(tmpdir(), 'goldleaf-closed-'));
    const shutOut = newDriver(join(closed, 'machines'));
    await expect(shutOut.start()).rejects.toThrow(/cannot reach .*chmod o\+x/);
    await rm(closed, { recursive: true });
  });

  it('works under a path too long for a socket address', async () => {
    const folder = await newMachinesDir();
    const long = join(folder, 'a'.repeat(60), 'b'.repeat(60));
    const deep = newDriver(long);
    await deep.start();
    const { id } = await deep.create(spec());
    expect((await deep.inspect(id))?.state).toBe('running');
    await deep.destroy(id);
    await deep.stop();
    await rm(folder, { recursive: true });
  });
});
