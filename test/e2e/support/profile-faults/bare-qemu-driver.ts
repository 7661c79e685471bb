import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type FileSystemUsage,
  type GuestCommand,
  type GuestResult,
  guestPaths,
  type Machine,
  MachineError,
  QemuDriver,
  type ViewVolumeOptions,
} from '#libs/hypervisor';
import { silentLogger } from '#libs/telemetry';
import { findMachineUser, openNbdView } from '#services/provisioner';

/** What a guest would say of a home of which nobody looks at the size. */
const ANSWERS: Readonly<Record<string, string>> = {
  open: 'opened\t1048576\t4096\tclean',
  close: 'closed\t0',
};
/** A second monitor, as the first takes one connection at a time. QEMU's working folder is the machine's. */
const TAPPED_QEMU = `#!/bin/sh
exec qemu-system-x86_64 "$@" -chardev socket,id=tap,path=tap.sock,server=on,wait=off -mon chardev=tap,mode=control
`;

/**
 * Real QEMU machines of an idle image, which are there in less than a second: all that touches disks is real, and only
 * what a guest would be asked is answered here.
 */
export class BareQemuDriver extends QemuDriver {
  /** @param stateDir of the host */
  static async below(stateDir: string): Promise<BareQemuDriver> {
    const qemuCommand = join(stateDir, 'tapped-qemu');
    await writeFile(qemuCommand, TAPPED_QEMU);
    await chmod(qemuCommand, 0o755);
    return new BareQemuDriver(machinesDirOf(stateDir), qemuCommand);
  }

  private constructor(machinesDir: string, qemuCommand: string) {
    const machineUser = findMachineUser('goldleaf-vm');
    super({
      ...{ machinesDir, qemuCommand, openNbdView, logger: silentLogger(), accelerator: 'tcg', minFreeDiskMiB: 64 },
      displayPorts: { first: 23_000, last: 23_199 },
      ...(machineUser && { machineUser }),
    });
  }

  override async waitReady(machineId: string): Promise<Machine> {
    const machine = await this.inspect(machineId);
    if (machine?.state !== 'running') throw new MachineError('not-found', `machine ${machineId} does not run`);
    return machine;
  }

  override async runInGuest(machineId: string, { path, args }: GuestCommand): Promise<GuestResult> {
    await this.waitReady(machineId);
    const answer = path === guestPaths.profile ? ANSWERS[args[0] ?? ''] : undefined;
    return { exitCode: 0, stdout: answer ? `${answer}\ntook\ttotal\t0\n` : '', stderr: '' };
  }

  /** Of what this says nothing depends here. */
  override async fileSystemUsage(machineId: string): Promise<FileSystemUsage> {
    await this.waitReady(machineId);
    return { usedBytes: 4096, totalBytes: 1 << 20 };
  }

  /** Without a guest there is nothing to be frozen, and no use in waiting for it. */
  override viewVolume(machineId: string, volumeId: string, { freeze: _, ...options }: ViewVolumeOptions = {}) {
    return super.viewVolume(machineId, volumeId, options);
  }
}

export const machinesDirOf = (stateDir: string): string => join(stateDir, 'machines');
