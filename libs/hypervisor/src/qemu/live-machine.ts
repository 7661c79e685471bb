import type { Machine } from '../machine.js';
import type { MachineFolder, MachineRecord } from './machine-record.js';
import { QmpClient } from './qmp-client.js';

/** A machine as the driver holds it in memory. */
export class LiveMachine {
  state: Machine['state'] = 'running';
  /** Set while `destroy` is at it: its end is then no news. */
  isBeingDestroyed = false;
  /** Whether a forked machine is known to have taken its own identity. */
  hasIdentity = false;
  /** Whether it may have been told its identity by an attempt of which the end is not known. */
  mayHaveIdentity = false;
  /** Its monitor did not answer when it was adopted. */
  isDoubtful = false;
  /** Of its process, which lives then also when the machine has ended. */
  hasWritableVolume = false;
  /** Views that somebody has open, by volume. */
  readonly openViews = new Map<string, string>();
  /** Told of each control connection, once. */
  onMonitor: (qmp: QmpClient) => void = () => undefined;
  private current: QmpClient | undefined;
  private qmp: Promise<QmpClient> | undefined;

  constructor(
    readonly record: MachineRecord,
    readonly folder: MachineFolder,
  ) {}

  get id(): string {
    return this.record.id;
  }

  /** It has ended, and its process was kept for what its guest wrote. */
  get isKept(): boolean {
    return this.state === 'ended' && this.hasWritableVolume && !this.isBeingDestroyed;
  }

  /** The control connection, made anew when it was lost. */
  async monitor(): Promise<QmpClient> {
    const before = this.qmp;
    const current = await before?.catch(() => undefined);
    if (current && !current.isClosed) return current;
    // Whoever else found it lost may have made it anew meanwhile.
    if (this.qmp === before || !this.qmp) {
      this.qmp = QmpClient.connect(this.folder.run('qmp.sock'), 5_000).then((qmp) => this.use(qmp));
    }
    return this.qmp;
  }

  get isConnected(): boolean {
    return this.current !== undefined && !this.current.isClosed;
  }

  /** Has `onMonitor` told of the connection there is, or as soon as there is one. */
  connect(): void {
    if (this.current && this.isConnected) this.onMonitor(this.current);
    else this.monitor().catch(() => undefined);
  }

  takeMonitor(qmp: QmpClient): void {
    this.qmp = Promise.resolve(this.use(qmp));
  }

  /** Lets go of the machine; it goes on running. */
  async release(): Promise<void> {
    const qmp = await this.qmp?.catch(() => undefined);
    qmp?.close();
    this.qmp = undefined;
    this.current = undefined;
  }

  private use(qmp: QmpClient): QmpClient {
    this.current = qmp;
    this.onMonitor(qmp);
    return qmp;
  }

  toMachine(): Machine {
    const { id, imageDigest, startedAt, start, display } = this.record;
    const kept = this.hasWritableVolume ? { hasWritableVolume: true as const } : {};
    const base = { id, state: this.state, imageDigest, startedAt, ...(start ? { start } : {}), ...kept };
    const doubt = this.isDoubtful ? { isDoubtful: true as const } : {};
    return this.state === 'running' ? { ...base, ...doubt, display: { protocol: 'vnc', ...display } } : base;
  }
}
