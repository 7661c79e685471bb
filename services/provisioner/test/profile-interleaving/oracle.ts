import type { ProfileVersion } from '#libs/profiles';
import type { Scheduler } from '../../../../test/simulation/engine/scheduler.js';

/** A rule that was broken. */
export class Violation extends Error {}

/** Blocks of a volume: the number of the last write to each. */
export type Content = readonly number[];

/** The disk of a desktop that may write, as an observer knows it who sees all. */
interface Disk {
  readonly base: ProfileVersion;
  /** What it held, one after the other. */
  readonly states: Content[];
  /** Which of them was committed last. */
  savedAt: number;
  /** Nothing of it needs to be kept any more: it was, or a fault took it that nothing is promised against. */
  isOver: boolean;
}

const same = (one: Content | undefined, other: Content | undefined) => JSON.stringify(one) === JSON.stringify(other);

/** Knows what guests wrote and what was committed, and tells the scheduler when a rule is broken. */
export class Oracle {
  private readonly disks = new Map<string, Disk>();
  private readonly versions = new Map<string, Content>();
  private readonly silent = new Set<string>();
  private readonly numbers = new Set<number>();
  private newest: ProfileVersion | undefined;
  /** How much of what a seed is about has happened. */
  readonly counts = {
    ...{ writes: 0, commits: 0, excused: 0, erased: 0, closed: 0 },
    ...{ crashes: 0, outages: 0, killed: 0, fenced: 0 },
  };

  constructor(
    private readonly scheduler: Scheduler,
    /** What the volume store has of a version. */
    private readonly read: (versionId: string) => Promise<Content>,
    private readonly facts: {
      readonly isToErase: (desktopId: string) => boolean;
      /** Its guest has the disk mounted, and its person was not sent away. */
      readonly isInUse: (desktopId: string) => boolean;
    },
  ) {}

  contentOf(versionId: string): Content {
    const content = this.versions.get(versionId);
    if (content) return content;
    this.broken(`a machine reads version ${versionId}, which was never committed`);
    return [];
  }

  /** A machine got a disk that it may write, served from this version. */
  attached(desktopId: string, versionId: string): void {
    const { newest } = this;
    if (!newest || versionId !== newest.versionId) {
      this.broken(`${desktopId} begins with ${this.contentOf(versionId)} instead of the newest`);
      return;
    }
    const other = [...this.disks].find(([, { isOver }]) => !isOver);
    if (other) this.broken(`${desktopId} may write while ${other[0]} still does`);
    const states = [this.contentOf(versionId)];
    this.disks.set(desktopId, { base: newest, states, savedAt: 0, isOver: false });
  }

  /** A machine that had its disk all along may write it (again). */
  keptDisk(desktopId: string): void {
    const { newest } = this;
    const disk = this.disks.get(desktopId);
    if (!disk?.isOver) return;
    if (newest?.desktopId !== desktopId && newest?.number !== disk.base.number) {
      this.broken(`${desktopId} goes on with a disk of ${disk.base.number}, and the newest is ${newest?.number}`);
    }
    disk.isOver = false;
  }

  /** Its guest did not do what it was told to: what it writes from now on may come after the last save. */
  guestFailed(desktopId: string): void {
    this.silent.add(desktopId);
  }

  /** @returns the number of the write; undefined when nobody writes there (any more) */
  write(desktopId: string, block: number): number | undefined {
    const disk = this.disks.get(desktopId);
    const before = disk?.states.at(-1);
    if (!disk || !before || disk.isOver || this.silent.has(desktopId)) return undefined;
    this.counts.writes += 1;
    const number = 100 + this.counts.writes;
    disk.states.push(before.map((old, at) => (at === block ? number : old)));
    return number;
  }

  /** @param holder of the lease when the commit arrived */
  async committed(version: ProfileVersion, holder: string | null): Promise<void> {
    const { number, versionId, desktopId } = version;
    // One that is repeated because its answer was lost.
    if (this.numbers.has(number)) return;
    this.numbers.add(number);
    const before = this.newest;
    const content = await this.read(versionId);
    this.versions.set(versionId, content);
    this.newest = version;
    if (desktopId === null) return;
    this.counts.commits += 1;
    if (holder !== desktopId) this.broken(`${desktopId} committed ${number} while ${holder ?? 'nobody'} had the lease`);
    if (before && before.number >= number) this.broken(`${number} was committed below ${before.number}`);
    const disk = this.disks.get(desktopId);
    if (!disk) return this.broken(`${desktopId} committed ${number} and never had a disk`);
    if (before?.desktopId !== desktopId && before?.number !== disk.base.number) {
      this.broken(`${number} of ${desktopId} covers ${before?.number}, which it never saw`);
    }
    const savedAt = disk.states.findLastIndex((state) => same(state, content));
    if (savedAt < disk.savedAt) {
      this.broken(
        `${number} is ${content}: ${desktopId} has ${disk.states.at(-1)} and had committed ${disk.states[disk.savedAt]}`,
      );
    }
    disk.savedAt = Math.max(savedAt, disk.savedAt);
  }

  /** What was written on top of this is not to be kept. */
  discarded(newest: ProfileVersion | null): void {
    if (newest) this.newest = newest;
  }

  /** The lease was given back, or the disk goes away: all that is on it must be kept by now. */
  gone(desktopId: string, how: string): void {
    const disk = this.disks.get(desktopId);
    if (!disk || disk.isOver) return;
    if (this.facts.isInUse(desktopId)) this.broken(`${desktopId} ${how} while it is used`);
    disk.isOver = true;
    this.counts.closed += 1;
    const now = this.newest && this.versions.get(this.newest.versionId);
    if (this.facts.isToErase(desktopId)) {
      this.counts.erased += 1;
      if (!same(now, disk.states[0])) this.broken(`${desktopId} ${how}, and what was to be erased is kept`);
      return;
    }
    const last = disk.states.at(-1);
    if (!same(now, last)) this.broken(`${desktopId} ${how} with ${last}, of which ${now} is kept`);
  }

  /** Its machine was killed, or IT fenced it off: what it has not saved may be lost. */
  excuse(desktopId: string): void {
    const disk = this.disks.get(desktopId);
    if (!disk || disk.isOver) return;
    disk.isOver = true;
    this.counts.excused += 1;
  }

  broken(rule: string): void {
    this.scheduler.fail(new Violation(rule));
  }
}
