import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { closeGuestProfile, guestPaths, type HypervisorDriver, MachineError } from '#libs/hypervisor';
import { JobDispatcher, type JobSink } from '#libs/jobs';
import { KeyedLock } from '#libs/kernel';
import { type Lease, LeaseError, ProfileLeases, type ProfileVersion } from '#libs/profiles';
import { type DueVersion, SessionProfiles, type WantedProfile } from '#libs/sessions';
import { LOGGER } from '#libs/telemetry';
import { ProfileMetrics } from '../metrics/profile-metrics.js';
import { DRIVER, PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';
import { profileDiskId } from './profile-disk.js';
import { profileFailureOf } from './profile-failed.js';
import { type OpenedProfile, ProfileOpener } from './profile-opener.js';
import { PROFILE_OPTIONS, type ProfileOptions } from './profile-options.js';
import { ProfileUsage } from './profile-usage.js';
import { ProfileVault, type UnlockedVolume } from './profile-vault.js';
import { ProfileWriter } from './profile-writer.js';
import { UnfinishedRestores } from './unfinished-restores.js';

/** The holder gave the lease back between two looks; asked more often than that it is somebody else's by then. */
const ATTEMPTS_TO_ACQUIRE = 3;

/** Brings profiles to desktops, saves them, and takes them back: one thing at a time for each desktop. */
@Injectable()
export class DesktopProfileSync {
  private readonly turns = new KeyedLock();
  private readonly opening = new Map<string, AbortController>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly rows: SessionProfiles,
    private readonly leases: ProfileLeases,
    private readonly vault: ProfileVault,
    private readonly opener: ProfileOpener,
    private readonly writer: ProfileWriter,
    private readonly usage: ProfileUsage,
    private readonly restores: UnfinishedRestores,
    private readonly metrics: ProfileMetrics,
    @Inject(JobDispatcher) private readonly jobs: JobSink,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(PROVISIONER_OPTIONS) private readonly host: Pick<ProvisionerOptions, 'hostName'>,
    @Inject(PROFILE_OPTIONS) private readonly options: ProfileOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  isBusy(desktopId: string): boolean {
    return this.opening.has(desktopId);
  }

  /** Brings the profile to a desktop that waits for it. The person goes on without when that fails, and is told. */
  open(desktopId: string): Promise<void> {
    return this.turns.run(desktopId, async () => {
      const wanted = await this.rows.wanted(desktopId);
      if (this.stopping.signal.aborted || wanted?.host !== this.host.hostName) return;
      if (wanted.desktopState !== 'assigned' || !['waiting', 'opening'].includes(wanted.state)) return;
      const controller = new AbortController();
      this.opening.set(desktopId, controller);
      try {
        await this.bring(wanted, AbortSignal.any([controller.signal, this.stopping.signal]));
      } finally {
        this.opening.delete(desktopId);
      }
    });
  }

  /**
   * Makes a version of what has been written by now, without the person noticing.
   * @throws MachineError, VolumeError, NbdClientError, LeaseError, ProfileKeyError; tried again later
   */
  save({ desktopId, reason }: Omit<DueVersion, 'volumeId'>): Promise<void> {
    return this.turns.run(desktopId, async () => {
      const wanted = await this.rows.wanted(desktopId);
      if (this.stopping.signal.aborted || wanted?.desktopState !== 'assigned') return;
      if (wanted.state !== 'ready' || wanted.mode !== 'write') return;
      try {
        const held = await this.held(wanted);
        if (!held) {
          // Whoever took it away may have died before the person was told.
          const detail = 'the profile was deleted or taken over: nothing of this desktop is kept any more';
          await this.rows.report(desktopId, { state: 'failed', reason: 'failed', detail });
          return;
        }
        // A guest that says nothing is frozen all the same, or not.
        const usage = await this.usage.of(desktopId, this.stopping.signal).catch(() => null);
        const { signal } = this.stopping;
        const how = { reason, mountPoint: guestPaths.home, isClean: false, signal };
        await this.writer.save(desktopId, held.volume, held.lease.fence, how);
        await this.rows.report(desktopId, { state: 'ready', ...usage, save: 'done' });
      } catch (error) {
        this.stopping.signal.throwIfAborted();
        if (error instanceof MachineError && error.code === 'not-found') return;
        this.metrics.failures.inc({ step: 'save' });
        await this.rows.report(desktopId, { state: 'ready', save: 'failed', detail: String(error) });
        throw error;
      }
    });
  }

  /**
   * The desktop was given up: what its person wrote is kept as they and the pool want it, and the profile is anybody's
   * again. Nothing is kept of what IT has given up. Call before the machine is destroyed. Safe to repeat.
   * @throws VolumeError, MachineError and others when it could not be kept: the machine must not be destroyed yet
   */
  close(desktopId: string): Promise<void> {
    this.opening.get(desktopId)?.abort(new Error('the desktop was given up'));
    return this.turns.run(desktopId, async () => {
      const wanted = await this.rows.wanted(desktopId);
      if (!wanted || wanted.state === 'closed') return;
      const leases = await this.leases.leasesOf(desktopId);
      if (leases.length > 0) {
        await this.rows.report(desktopId, { state: 'closing' });
        try {
          for (const lease of leases)
            await (wanted.isGivenUp ? this.release(lease.volumeId, desktopId) : this.giveBack(wanted, lease));
        } catch (error) {
          this.metrics.failures.inc({ step: 'close' });
          await this.rows.report(desktopId, { state: 'closing', detail: String(error) });
          throw error;
        }
      }
      await this.rows.report(desktopId, { state: 'closed' });
    });
  }

  /** Ends what is under way; the next process goes on with it. */
  stop(): void {
    this.stopping.abort(new Error('the provisioner stops'));
  }

  private async bring(wanted: WantedProfile, signal: AbortSignal): Promise<void> {
    const opened = await this.tryToOpen(wanted, signal);
    if (!opened) return;
    const { number, totalBytes, usedBytes, isOlder } = opened;
    const news = { state: 'ready' as const, baseNumber: number, totalBytes, usedBytes };
    // Where that cannot be told the profile is open all the same, and its lease stays: opened again, it is told then.
    await this.rows.report(wanted.desktopId, isOlder ? { ...news, notice: 'older-version' } : news);
  }

  /** @returns null when it is not open: it is waited for, or what becomes of the desktop is reported */
  private async tryToOpen(wanted: WantedProfile, signal: AbortSignal): Promise<OpenedProfile | null> {
    const { desktopId, username, context } = wanted;
    let volume: UnlockedVolume | undefined;
    let lease: Lease | undefined;
    try {
      volume = await this.vault.findOrMake({ username, context });
      const patience = AbortSignal.timeout(this.options.attachTimeoutMs);
      await this.restores.finish(volume.id, AbortSignal.any([signal, patience]));
      signal.throwIfAborted();
      const answer = await this.acquire(volume.id, desktopId);
      if (answer === 'wait') return null;
      if (answer === 'read-only') return await this.bringToRead(wanted, volume, signal);
      // Kept from retention, also when this desktop is given up before its profile is ready.
      const base = { volumeId: volume.id, mode: 'write', baseNumber: answer.served?.number ?? null } as const;
      await this.rows.report(desktopId, { state: 'opening', ...base });
      // Given back only when opening fails, which leaves nothing in the machine: an attempt before may have opened it.
      lease = answer;
      return await this.opener.openToWrite(wanted, volume, lease, signal);
    } catch (error) {
      await this.failed(wanted, volume, lease, signal, error);
      return null;
    }
  }

  /** @returns null while whoever writes it has yet to make its first version */
  private async bringToRead(wanted: WantedProfile, volume: UnlockedVolume, signal: AbortSignal) {
    const versions = (await this.leases.versions(volume.id)).filter(({ state }) => state === 'good');
    if (versions.length === 0) return null;
    // What is read from is kept from retention by its number; of a lease the store of leases does the same.
    const base = { state: 'opening', volumeId: volume.id, mode: 'read-only' } as const;
    const reserve = ({ number }: ProfileVersion) => this.rows.report(wanted.desktopId, { ...base, baseNumber: number });
    return this.opener.openToRead(wanted, volume, versions, reserve, signal);
  }

  private async failed(
    { desktopId, username }: WantedProfile,
    volume: UnlockedVolume | undefined,
    lease: Lease | undefined,
    signal: AbortSignal,
    error: unknown,
  ): Promise<void> {
    // Whoever ended it sees to the rest: the destruction of the desktop, or the next process.
    if (signal.aborted) return;
    if (error instanceof MachineError && error.code === 'not-found') return;
    if (LeaseError.is(error, 'refused')) return;
    const { reason, detail } = profileFailureOf(error);
    this.metrics.failures.inc({ step: 'open' });
    this.logger.error({ err: error, desktopId, username, reason }, 'a profile could not be opened');
    await this.rows.report(desktopId, { state: 'failed', reason, detail });
    // Only now: it is not opened again, so whatever may be left of it in the machine is never saved over another's work.
    if (volume && lease) await this.release(volume.id, desktopId);
  }

  private async acquire(volumeId: string, desktopId: string): Promise<Lease | 'read-only' | 'wait'> {
    for (let attempt = 0; attempt < ATTEMPTS_TO_ACQUIRE; attempt += 1) {
      const { lease } = await this.leases.acquire(volumeId, desktopId);
      if (lease) return lease;
      const answer = await this.rows.askToRoam(volumeId, desktopId);
      if (answer === 'read-only') return answer;
      if (answer !== 'free') return 'wait';
    }
    return 'wait';
  }

  /** The volume that a desktop writes, and its lease. Null when it holds none (any more). */
  private async held({ desktopId, username, context }: WantedProfile) {
    const volume = await this.vault.find({ username, context });
    const lease = volume && (await this.leaseOf(desktopId, volume.id));
    return volume && lease ? { volume, lease } : null;
  }

  private async leaseOf(desktopId: string, volumeId: string): Promise<Lease | undefined> {
    return (await this.leases.leasesOf(desktopId)).find((lease) => lease.volumeId === volumeId);
  }

  private async giveBack(wanted: WantedProfile, { volumeId, fence }: Lease): Promise<void> {
    const { desktopId, username, context } = wanted;
    try {
      const volume = await this.vault.find({ username, context });
      if (volume?.id === volumeId) await this.keepOrDiscard(wanted, volume, fence);
    } catch (error) {
      if (!LeaseError.is(error, 'lost', 'deleted', 'stale')) throw error;
      // Refused under a fence that was raised meanwhile, which says nothing of whose profile it is: tried again.
      if (await this.leaseOf(desktopId, volumeId)) throw error;
      // Somebody else decides of the profile: nothing can be kept here, and nothing needs to be.
      this.logger.warn({ err: error, desktopId, volumeId }, 'a profile is no longer ours to save');
    }
    await this.release(volumeId, desktopId);
  }

  private async keepOrDiscard(wanted: WantedProfile, volume: UnlockedVolume, fence: number): Promise<void> {
    const { desktopId, outcome, versionReason, unwantedDesktopIds } = wanted;
    if (outcome === 'erase') {
      await this.leases.discard(volume.id, unwantedDesktopIds, fence);
      return;
    }
    const machine = await this.driver.inspect(desktopId);
    if (!machine || (machine.state === 'ended' && !machine.hasWritableVolume)) {
      this.logger.warn(
        { desktopId, volumeId: volume.id },
        'a machine is gone, and what was written since the last save',
      );
      return;
    }
    if (!(await this.driver.volumes(desktopId)).includes(profileDiskId(volume.id))) return;
    const isClean = machine.state === 'running' && (await this.closeInGuest(desktopId));
    try {
      await this.writer.save(desktopId, volume, fence, { reason: versionReason, isClean });
    } catch (error) {
      // It ended while it was being read: its key is gone with it.
      if (error instanceof MachineError && error.code === 'not-found') return;
      throw error;
    }
  }

  /** @returns whether the guest has unmounted it */
  private async closeInGuest(desktopId: string): Promise<boolean> {
    try {
      const closed = await closeGuestProfile(this.driver, desktopId, { timeoutMs: this.options.guestCloseTimeoutMs });
      if (closed.state === 'closed') return true;
      this.logger.warn({ desktopId, detail: closed.detail }, 'a guest did not let go of its profile');
    } catch (error) {
      this.logger.warn({ err: error, desktopId }, 'a guest did not close its profile');
    }
    return false;
  }

  private async release(volumeId: string, desktopId: string): Promise<void> {
    const held = await this.leaseOf(desktopId, volumeId);
    if (held) await this.leases.release(volumeId, held.fence);
    for (const { desktopId: waiting, host } of await this.rows.waitingFor(volumeId)) {
      await this.jobs.enqueue('desktop.profile', { desktopId: waiting }, { host });
    }
  }
}
