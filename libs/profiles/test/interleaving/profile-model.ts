import { createHash } from 'node:crypto';
import type { ProfileVersion } from '../../src/leases/profile-version.js';

/** Blocks of a volume: the number of the last write to each. */
export type Content = readonly number[];

export const BLOCKS = 5;

export const versionIdOf = (content: Content): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('hex');

/** A rule that was broken. */
export class Violation extends Error {}

interface Committed {
  readonly number: number;
  readonly desktopId: string | null;
  readonly content: Content;
}

/** What was committed when, as an observer who sees everything knows it, and the volume store. */
export class ProfileModel {
  /** Good versions that were not dropped, by number. */
  private readonly good = new Map<number, Committed>();
  private readonly damaged = new Map<number, Committed>();
  private readonly numbers = new Set<number>();
  private readonly begun = new Set<number>();
  private readonly corrupt = new Set<number>();
  /** The volume store: contents by id, and the names of versions. */
  readonly contents = new Map<string, Content>();
  readonly names = new Map<number, string>();
  commits = 0;
  restores = 0;
  discards = 0;

  newest(): Committed | undefined {
    return this.good.get(Math.max(...this.good.keys()));
  }

  begins(number: number): void {
    if (this.begun.has(number)) throw new Violation(`number ${number} was given twice`);
    this.begun.add(number);
  }

  /** @param seen what the machine's disk held when the view was taken @param served number that its leaf is based on */
  committed(version: ProfileVersion, seen: Content, served: number | null): void {
    // A commit that is repeated because its answer was lost.
    if (this.numbers.has(version.number)) return;
    const before = this.newest();
    const isOwn = before === undefined || before.desktopId === version.desktopId || before.number === served;
    if (!isOwn) {
      throw new Violation(`version ${version.number} covers ${before.number}, which its desktop never saw`);
    }
    const stored = this.contents.get(version.versionId);
    if (JSON.stringify(stored) !== JSON.stringify(seen)) {
      throw new Violation(`version ${version.number} is a mixture: ${stored} instead of ${seen}`);
    }
    this.add(version, seen);
    this.commits += 1;
  }

  restored(version: ProfileVersion): void {
    const from = version.restoredFrom ?? 0;
    const origin = this.good.get(from) ?? this.damaged.get(from);
    if (!origin || versionIdOf(origin.content) !== version.versionId) throw new Violation(`restored ${from} wrongly`);
    if (this.numbers.has(version.number)) return;
    this.add(version, origin.content);
    if (this.corrupt.has(from)) this.corrupt.add(version.number);
    this.restores += 1;
  }

  /** The file system of the newest version turns out to be broken. */
  corruptNewest(): void {
    const newest = this.newest();
    if (newest) this.corrupt.add(newest.number);
  }

  isCorrupt = (number: number): boolean => this.corrupt.has(number);

  markedDamaged(number: number): void {
    const version = this.good.get(number);
    if (!this.corrupt.has(number) || !version) throw new Violation(`${number} was said to be damaged and is not`);
    this.damaged.set(number, version);
    this.good.delete(number);
  }

  discarded(numbers: readonly number[]): void {
    for (const number of numbers) {
      this.good.delete(number);
      this.damaged.delete(number);
    }
    this.discards += numbers.length;
  }

  dropped(numbers: readonly number[]): void {
    for (const number of numbers) {
      if (number === this.newest()?.number) throw new Violation(`the newest version ${number} was dropped`);
      this.good.delete(number);
      this.damaged.delete(number);
    }
  }

  /** Content that no name leads to is gone. */
  collect(): void {
    const named = new Set(this.names.values());
    for (const id of this.contents.keys()) if (!named.has(id)) this.contents.delete(id);
  }

  /** What a machine or the next logon reads. */
  read(version: Pick<ProfileVersion, 'number' | 'versionId'>): Content {
    const content = this.contents.get(version.versionId);
    if (!content) throw new Violation(`version ${version.number} is not in the store`);
    return content;
  }

  /** @param newest as the store of leases says */
  checkNewest(newest: ProfileVersion | null): void {
    const expected = this.newest();
    if (newest?.number !== expected?.number) {
      throw new Violation(`the newest version is ${newest?.number} instead of ${expected?.number}`);
    }
    if (newest && JSON.stringify(this.read(newest)) !== JSON.stringify(expected?.content)) {
      throw new Violation(`version ${newest.number} is not what was committed`);
    }
  }

  private add({ number, desktopId }: ProfileVersion, content: Content): void {
    this.numbers.add(number);
    this.good.set(number, { number, desktopId, content });
    if (this.newest()?.number !== number) throw new Violation(`version ${number} was committed below the newest`);
  }
}
