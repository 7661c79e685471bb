import { Inject, Injectable } from '@nestjs/common';
import { type FileSystemUsage, guestPaths, type HypervisorDriver, MachineError } from '#libs/hypervisor';
import { type OpenProfile, SessionProfiles } from '#libs/sessions';
import { forEachParallel } from '#libs/volumes';
import { DRIVER, PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';

const ASKED_AT_ONCE = 2;
/** A guest that has more to do is asked again with the next round. */
const TIMEOUT_MS = 5_000;

/** Asks guests how full the profiles in them are, so that people hear of it before theirs is full. */
@Injectable()
export class ProfileUsage {
  constructor(
    @Inject(SessionProfiles) private readonly rows: Pick<SessionProfiles, 'openOn' | 'report'>,
    @Inject(DRIVER) private readonly driver: Pick<HypervisorDriver, 'fileSystemUsage'>,
    @Inject(PROVISIONER_OPTIONS) private readonly host: Pick<ProvisionerOptions, 'hostName'>,
  ) {}

  /** @returns null when the guest has none mounted. @throws MachineError; the reason of the signal */
  of(desktopId: string, signal: AbortSignal): Promise<FileSystemUsage | null> {
    return this.driver.fileSystemUsage(desktopId, guestPaths.home, TIMEOUT_MS, { signal });
  }

  /** Asks all guests of this host, beside whatever is done with their profiles, and reports what people can see. */
  async reportAll(signal: AbortSignal): Promise<void> {
    await forEachParallel(await this.rows.openOn(this.host.hostName), ASKED_AT_ONCE, async (known) => {
      if (signal.aborted) return;
      const found = await this.of(known.desktopId, signal).catch((error: unknown) => {
        // It is going, or says nothing now.
        if (error instanceof MachineError || signal.aborted) return null;
        throw error;
      });
      if (found && percentOf(found) !== percentOf(known)) {
        await this.rows.report(known.desktopId, { state: 'ready', ...found });
      }
    });
  }
}

/** Rounded down, so that it differs wherever what the person is told differs. */
function percentOf({ usedBytes, totalBytes }: Omit<OpenProfile, 'desktopId'>): number | null {
  return usedBytes === null || !totalBytes ? null : Math.floor((100 * usedBytes) / totalBytes);
}
