import type { VolumeReader } from '../volume-reader.js';
import type { OfferedExport } from './handshake.js';
import { ReadAheadReader } from './read-ahead-reader.js';

/** A connection that has opened an export, as the export sees it. */
export interface ExportUser {
  /** Answers what is under way, then closes. Resolves when it is closed. */
  drain(): Promise<void>;
}

const LATE_READS_MS = 2_000;

/** A volume under a name, and who uses it. */
export class NbdExport implements OfferedExport {
  private readonly users = new Set<ExportUser>();
  private givenUp = 0;
  private onReadsEnded: (() => void) | undefined;

  constructor(
    readonly name: string,
    readonly reader: VolumeReader,
    readonly description?: string,
  ) {}

  get sizeBytes(): number {
    return this.reader.sizeBytes;
  }

  /** Reads that have been given up and have not ended. */
  get unendedReads(): number {
    return this.givenUp;
  }

  readGivenUp(): void {
    this.givenUp++;
  }

  readEndedLate(): void {
    this.givenUp--;
    if (this.givenUp === 0) this.onReadsEnded?.();
  }

  join(user: ExportUser): void {
    this.users.add(user);
  }

  leave(user: ExportUser): void {
    this.users.delete(user);
    // What was read ahead was read for them.
    if (this.users.size === 0 && this.reader instanceof ReadAheadReader) this.reader.forgetAll();
  }

  /** Sends all users away, and waits for the reader to be left alone. */
  async end(): Promise<void> {
    await Promise.all([...this.users].map((user) => user.drain()));
    if (this.givenUp > 0) await this.readsEnded();
    // Its own part only: the reader below is closed by whoever opened it.
    if (this.reader instanceof ReadAheadReader) await this.reader.stop();
  }

  private readsEnded(): Promise<void> {
    return new Promise((resolve) => {
      // A reader that heeds no signal may never end them.
      const timer = setTimeout(resolve, LATE_READS_MS);
      this.onReadsEnded = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
