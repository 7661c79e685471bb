import { FakeHost } from '#libs/hypervisor';
import { MemoryProfileLeases, type ProfileVersion } from '#libs/profiles';
import { bytesOf } from './blocks.js';
import type { Oracle } from './oracle.js';

/** Leases that tell the oracle of what comes about. */
export class WatchedLeases extends MemoryProfileLeases {
  oracle: Oracle | undefined;

  override async commit(...call: Parameters<MemoryProfileLeases['commit']>): Promise<ProfileVersion> {
    const holder = await this.holder(call[0]);
    const version = await super.commit(...call);
    await this.oracle?.committed(version, holder?.desktopId ?? null);
    return version;
  }

  override async release(volumeId: string, fence: number): Promise<boolean> {
    const holder = await this.holder(volumeId);
    const isReleased = await super.release(volumeId, fence);
    if (isReleased && holder) this.oracle?.gone(holder.desktopId, 'gave its lease back');
    return isReleased;
  }

  override async discard(volumeId: string, desktopIds: readonly string[], fence?: number): Promise<number[]> {
    const holder = await this.holder(volumeId);
    const numbers = await super.discard(volumeId, desktopIds, fence);
    this.oracle?.discarded(await this.newest(volumeId));
    if (fence !== undefined && holder) this.oracle?.gone(holder.desktopId, 'gave its lease back');
    return numbers;
  }
}

/** A host that tells the oracle when a machine goes, and serves what versions hold. */
export class WatchedHost extends FakeHost {
  constructor(
    private readonly oracle: Oracle,
    options: ConstructorParameters<typeof FakeHost>[0],
  ) {
    super(options);
    this.servedContent = async ({ exportName }, offset, length) =>
      bytesOf(oracle.contentOf(exportName)).subarray(offset, offset + length);
  }

  override removeMachine(machineId: string): void {
    this.oracle.gone(machineId, 'was destroyed');
    super.removeMachine(machineId);
  }
}
