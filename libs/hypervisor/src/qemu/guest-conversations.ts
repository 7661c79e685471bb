import { KeyedLock } from '#libs/kernel';
import { guestPaths } from '../guest-contract.js';
import { MachineError } from '../machine-error.js';
import { GuestAgent } from './guest-agent.js';
import { giveIdentity } from './identity.js';
import { identityPaths } from './identity-program.js';
import type { LiveMachine } from './live-machine.js';

/** One look at whether the guest is ready. */
const READY_LOOK_MS = 3_000;
/** One attempt to give an identity. It ends by itself when the machine does; a crowded host may need long. */
const IDENTITY_LOOK_MS = 20_000;

/** What is said to the guests of machines, one conversation at a time with each guest's agent. */
export class GuestConversations {
  private readonly turns = new KeyedLock();

  /** @throws MachineError `guest-unresponsive`; GuestAgentRefusal; the reason of the signal */
  talk<T>(
    machine: LiveMachine,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    conversation: (agent: GuestAgent) => Promise<T>,
  ): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    return this.turns.run(machine.id, () =>
      GuestAgent.talk(machine.folder.run('agent.sock'), Math.max(1, deadline - Date.now()), signal, conversation),
    );
  }

  /**
   * The same, if its turn comes in that time; else the guest is not spoken to.
   * @throws as talk; MachineError `guest-unresponsive` also when its turn did not come
   */
  async talkSoon<T>(
    machine: LiveMachine,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    conversation: (agent: GuestAgent) => Promise<T>,
  ): Promise<T> {
    const tooLate = new AbortController();
    const signals = signal ? AbortSignal.any([signal, tooLate.signal]) : tooLate.signal;
    let timer: NodeJS.Timeout | undefined;
    const waited = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new MachineError('guest-unresponsive', 'others were talking to the guest'));
        tooLate.abort();
      }, timeoutMs);
    });
    const talking = this.talk(machine, timeoutMs, signals, (agent) => {
      clearTimeout(timer);
      return conversation(agent);
    });
    try {
      return await Promise.race([talking, waited]);
    } finally {
      clearTimeout(timer);
      talking.catch(() => undefined);
    }
  }

  /** One look, of a part of the time that is left. @throws MachineError when the machine can never become ready */
  async looksReady(machine: LiveMachine, leftMs: number, signal?: AbortSignal): Promise<boolean> {
    const { fork } = machine.record;
    try {
      if (fork) {
        return await this.takesIdentity(machine, fork.hostname, Math.min(leftMs, IDENTITY_LOOK_MS), signal);
      }
      const lookMs = Math.min(leftMs, READY_LOOK_MS);
      return await this.talk(machine, lookMs, signal, (agent) => agent.fileExists(guestPaths.ready));
    } catch (error) {
      if (error instanceof MachineError && error.code === 'guest-unresponsive') return false;
      throw error;
    }
  }

  /** A forked machine shows its waiting screen from its first moment; it is ready when it is itself. */
  private takesIdentity(
    machine: LiveMachine,
    hostname: string,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<boolean> {
    return this.turns.run(`identity ${machine.id}`, async () => {
      if (machine.hasIdentity) return true;
      if (machine.mayHaveIdentity) {
        const taken = async (agent: GuestAgent) => (await agent.readFile(identityPaths.taken)) === 'taken\n';
        if (await this.talk(machine, timeoutMs, signal, taken)) machine.hasIdentity = true;
      }
      if (!machine.hasIdentity) {
        machine.mayHaveIdentity = true;
        const socketPath = machine.folder.run('identity.sock');
        await giveIdentity({ socketPath, machineId: machine.id, hostname, timeoutMs, signal });
        machine.hasIdentity = true;
      }
      return true;
    });
  }
}
