import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConformanceSetup } from '../conformance-setup.js';
import type { HypervisorDriver } from '../hypervisor-driver.js';
import type { MachineImage } from '../machine.js';
import { ProcessTable } from './process-identity.js';
import { processName } from './qemu-arguments.js';
import { type ServedVolume, serveVolume } from './volume-test-server.js';

const processes = new ProcessTable();
const SERVED_BYTES = 64 << 10;

/** The process of a machine, as the host sees it. */
export async function pidOf(machineId: string): Promise<number> {
  const [found] = await processes.findByArgument(processName(machineId));
  if (!found) throw new Error(`no process of machine ${machineId}`);
  return found.pid;
}

/** Runs a script in a guest. */
export const shell = (driver: HypervisorDriver, machineId: string, script: string) =>
  driver.runInGuest(machineId, { path: '/bin/bash', args: ['-c', script], timeoutMs: 60_000 });

/** A line of shell that waits in a guest for a volume's disk and sets `disk` to the name of its device. */
export const waitForDisk = (volumeId: string): string =>
  `until disk=$(cd /sys/block; for d in sd*; do grep -qs ${volumeId} $d/device/vpd_pg80 && echo /dev/$d; done); ` +
  '[ "$disk" ]; do sleep 0.1; done';

/** What the conformance suite needs of QEMU, for tests only. */
export function qemuConformance(given: {
  newDriver: () => HypervisorDriver;
  machinesDir: string;
  image: MachineImage;
  forks: boolean;
  bootTimeoutMs: number;
  close: () => Promise<void>;
}): ConformanceSetup {
  const { machinesDir, image } = given;
  const served: ServedVolume[] = [];
  let volumesDir: string | undefined;
  return {
    ...given,
    serveVolume: async (volumeId) => {
      volumesDir ??= await mkdtemp(join(tmpdir(), 'goldleaf-volumes-'));
      await chmod(volumesDir, 0o711);
      const file = join(volumesDir, `${volumeId}.img`);
      await writeFile(file, Buffer.alloc(SERVED_BYTES, 's'));
      const volume = await serveVolume(volumesDir, volumeId, file);
      served.push(volume);
      return volume;
    },
    servedBytes: SERVED_BYTES,
    fillVolume: async (driver, machineId, volumeId, { offset, length }, byte) => {
      const character = `\\${byte.toString(8).padStart(3, '0')}`;
      const script =
        `${waitForDisk(volumeId)}; head -c ${length} /dev/zero | tr '\\0' '${character}' | ` +
        `dd of=$disk bs=4096 seek=${offset} oflag=seek_bytes iflag=fullblock conv=notrunc,fsync`;
      const { exitCode, stderr } = await shell(driver, machineId, script);
      if (exitCode !== 0) throw new Error(stderr);
    },
    breakVolume: async (volume) => ({ ...volume, exportName: 'nobody-has-this' }),
    sayInGuest: async (driver, machineId, text) => {
      const { exitCode, stderr } = await shell(
        driver,
        machineId,
        `echo '${text}' > /dev/virtio-ports/org.goldleaf.apps.0`,
      );
      if (exitCode !== 0) throw new Error(stderr);
    },
    close: async () => {
      for (const volume of served) await volume.kill();
      if (volumesDir) await rm(volumesDir, { recursive: true });
      await given.close();
    },
    end: async (driver, machineId, reason) => {
      if (reason === 'killed') process.kill(await pidOf(machineId), 'SIGKILL');
      // As the person types it: the plain word, as the desktop's user.
      else
        await shell(
          driver,
          machineId,
          `(sleep 1; runuser -u user -- ${reason === 'guest-reboot' ? 'reboot' : 'poweroff'}) >/dev/null 2>&1 &`,
        );
    },
    breakCreate: async (code, spec) => {
      if (code === 'image-missing')
        return { ...spec, image: { ...image, rootDiskPath: join(machinesDir, 'absent.img') } };
      if (code === 'no-memory') return { ...spec, memoryMiB: 1_000_000 };
      if (code === 'image-damaged') return { ...spec, image: { ...image, rootDiskBytes: 12_345 } };
      return undefined;
    },
    remains: async (machineId) => [
      ...(await processes.findByArgument(processName(machineId))).map(({ pid }) => `process ${pid}`),
      ...(await readdir(machinesDir)).filter((name) => name === machineId),
    ],
  };
}
