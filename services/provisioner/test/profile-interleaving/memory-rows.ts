import { type MemoryLeaseWorld, type MemoryProfileLeases } from '#libs/profiles';
import {
  type DesktopOnHost,
  mayReport,
  type ProfileReport,
  type RoamAnswer,
  type SessionProfiles,
  type WantedProfile,
} from '#libs/sessions';

type Row = Omit<WantedProfile, 'desktopState'>;

/** One person's desktops and their profiles, as `SessionProfiles` tells provisioners of them; each call is done at once. */
export class MemoryRows implements Pick<SessionProfiles, 'wanted' | 'report' | 'askToRoam' | 'waitingFor' | 'openOn'> {
  /** By desktop, the one given last at the end. */
  readonly rows = new Map<string, Row>();

  constructor(
    private readonly world: MemoryLeaseWorld,
    private readonly leases: MemoryProfileLeases,
  ) {}

  addDesktop(desktopId: string, host: string, outcome: 'keep' | 'erase'): void {
    this.world.addDesktop(host, desktopId);
    this.rows.set(desktopId, {
      ...{ desktopId, host, sessionId: `session-of-${desktopId}`, username: 'alice', context: 'work' },
      policy: {
        ...{ context: 'work', conflict: 'roam', atLogOff: outcome, excludedPaths: [] },
        ...{ writeBackMinutes: 5, userMayRestore: false },
      },
      ...{ state: 'waiting', mode: 'write', volumeId: null, baseNumber: null },
      unwantedDesktopIds: outcome === 'erase' ? [desktopId] : [],
      ...{ outcome, isGivenUp: false, versionReason: 'recycle' },
    });
  }

  stateOf(desktopId: string) {
    return this.world.desktops.get(desktopId)?.state ?? 'deleted';
  }

  /** The person is sent away from it: whatever they wrote until now is to be kept. */
  giveUp(desktopId: string): void {
    if (this.stateOf(desktopId) === 'assigned') this.world.moveDesktop(desktopId, 'recycling');
  }

  async becomeDeleted(desktopId: string): Promise<void> {
    this.world.moveDesktop(desktopId, 'deleted');
  }

  async wanted(desktopId: string): Promise<WantedProfile | undefined> {
    const row = this.rows.get(desktopId);
    const desktopState = this.stateOf(desktopId);
    return row && desktopState !== 'deleted' ? { ...row, desktopState } : undefined;
  }

  async report(desktopId: string, { state, volumeId, mode, baseNumber }: ProfileReport): Promise<boolean> {
    const row = this.rows.get(desktopId);
    if (!row) return false;
    if (!mayReport({ state: row.state, desktopState: this.stateOf(desktopId) }, state)) return false;
    const base = baseNumber === undefined ? {} : { baseNumber };
    this.rows.set(desktopId, { ...row, state, ...(volumeId && { volumeId }), ...(mode && { mode }), ...base });
    return true;
  }

  /** The desktop that was given last has the profile. */
  async askToRoam(volumeId: string, forDesktopId: string): Promise<RoamAnswer> {
    if (this.stateOf(forDesktopId) !== 'assigned') return 'gone';
    const holder = await this.leases.holder(volumeId);
    if (!holder || holder.desktopId === forDesktopId) return 'free';
    const order = [...this.rows.keys()];
    if (
      order.indexOf(holder.desktopId) > order.indexOf(forDesktopId) &&
      this.stateOf(holder.desktopId) === 'assigned'
    ) {
      this.giveUp(forDesktopId);
      return 'gone';
    }
    this.giveUp(holder.desktopId);
    await this.report(forDesktopId, { state: 'waiting', volumeId });
    return 'wait';
  }

  async waitingFor(): Promise<DesktopOnHost[]> {
    const waiting = [...this.rows.values()].filter(
      ({ desktopId, state }) => state === 'waiting' && this.stateOf(desktopId) === 'assigned',
    );
    return waiting.map(({ desktopId, host }) => ({ desktopId, host })).reverse();
  }

  async openOn(): Promise<[]> {
    return [];
  }
}
