import type { Logger } from 'pino';
import { z } from 'zod';
import { SHUT_DOWN } from './adopt-machines.js';
import type { ExitAnnouncer } from './exit-announcer.js';
import { readExitReason } from './exit-reason.js';
import type { LiveMachine } from './live-machine.js';
import type { ProcessTable } from './process-identity.js';

/** A lost monitor tells of an end at once; this finds the ends that nothing told of. */
const WATCH_INTERVAL_MS = 1_000;

const machineStatus = z.object({ status: z.string() });

/** Finds out that machines ended: their process, or their guest in a process that stays for what it wrote. */
export class EndWatch {
  private timer: NodeJS.Timeout | undefined;
  /** Two looks may find the same end. */
  private readonly announced = new WeakSet<LiveMachine>();

  constructor(
    private readonly given: {
      readonly machines: () => Iterable<LiveMachine>;
      readonly processes: ProcessTable;
      readonly exits: ExitAnnouncer;
      readonly logger: Logger;
      /** Before it is announced. */
      readonly onEnd: (machine: LiveMachine) => void;
    },
  ) {}

  get isRunning(): boolean {
    return this.timer !== undefined;
  }

  start(): void {
    this.timer = setInterval(() => void this.look(), WATCH_INTERVAL_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Has a machine tell of its end itself, over each control connection that it gets. */
  watch(machine: LiveMachine): void {
    machine.onMonitor = (qmp) => {
      qmp.onEvent('SHUTDOWN', () => void this.lookAtGuest(machine));
      qmp.onClose(() => void this.lookAt(machine));
    };
    machine.connect();
  }

  /** Says that a machine has ended, once; its process may stay, or end later. */
  async announce(machine: LiveMachine, isProcessGone = false): Promise<void> {
    const { exits, logger, onEnd } = this.given;
    const reason = await readExitReason(machine.folder.run('events.out'));
    if (isProcessGone) machine.hasWritableVolume = false;
    if (machine.isBeingDestroyed || this.announced.has(machine)) return;
    this.announced.add(machine);
    machine.state = 'ended';
    onEnd(machine);
    if (!machine.isKept) await machine.release();
    logger.info({ machineId: machine.id, reason, isKept: machine.isKept }, 'machine ended');
    exits.announce({ machineId: machine.id, reason });
  }

  private async look(): Promise<void> {
    for (const machine of this.given.machines()) await this.lookAt(machine);
  }

  private async lookAt(machine: LiveMachine): Promise<void> {
    if (machine.isBeingDestroyed || (machine.state === 'ended' && !machine.isKept)) return;
    try {
      if (await this.given.processes.isAlive(machine.record.process)) {
        // Without a connection nothing would tell that its guest has ended.
        if (machine.hasWritableVolume && !machine.isConnected) await this.lookAtGuest(machine);
        return;
      }
    } catch (err) {
      this.given.logger.error({ err, machineId: machine.id }, 'cannot tell whether a machine lives');
      return;
    }
    await this.announce(machine, true);
  }

  private async lookAtGuest(machine: LiveMachine): Promise<void> {
    if (machine.state === 'ended' || !this.isRunning) return;
    try {
      const qmp = await machine.monitor();
      if (machineStatus.parse(await qmp.execute('query-status')).status === SHUT_DOWN) await this.announce(machine);
    } catch {
      // Its process is ending: the close of the connection tells.
    }
  }
}
