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
  private qmp: Promise<QmpClient> | undefined;

  constructor(
    readonly record: MachineRecord,
    readonly folder: MachineFolder,
  ) {}

  get id(): string {
    return this.record.id;
  }

  /** The control connection, made anew when it was lost. */
  async monitor(): Promise<QmpClient> {
    const current = await this.qmp?.catch(() => undefined);
    if (current && !current.isClosed) return current;
    this.qmp = QmpClient.connect(this.folder.run('qmp.sock'), 5_000);
    return this.qmp;
  }

  takeMonitor(qmp: QmpClient): void {
    this.qmp = Promise.resolve(qmp);
  }

  /** Lets go of the machine; it goes on running. */
  async release(): Promise<void> {
    const qmp = await this.qmp?.catch(() => undefined);
    qmp?.close();
    this.qmp = undefined;
  }

  toMachine(): Machine {
    const { id, imageDigest, startedAt, start, display } = this.record;
    const base = { id, state: this.state, imageDigest, startedAt, ...(start ? { start } : {}) };
    const doubt = this.isDoubtful ? { isDoubtful: true as const } : {};
    return this.state === 'running' ? { ...base, ...doubt, display: { protocol: 'vnc', ...display } } : base;
  }
}
