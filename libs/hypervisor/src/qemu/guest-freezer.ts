import type { Logger } from 'pino';
import { z } from 'zod';
import { delay } from '../delay.js';
import type { GuestAgent } from './guest-agent.js';
import type { GuestConversations } from './guest-conversations.js';
import type { LiveMachine } from './live-machine.js';

/** A guest that does not freeze in this time is not waited for. */
const FREEZE_MS = 2_000;
const THAW_MS = 5_000;
/** Between attempts to thaw a guest that did not answer: its person cannot save anything meanwhile. */
const THAW_RETRY_MS = 1_000;

const frozenCount = z.int().nonnegative();

/** Holds a file system of a guest still for a moment. */
export class GuestFreezer {
  private readonly thawing = new Set<LiveMachine>();
  private stopped = new AbortController();

  constructor(
    private readonly conversations: GuestConversations,
    private readonly logger: Logger,
  ) {}

  /**
   * Runs the operation, once, while the guest holds its writes back, or without if it does not freeze. It thaws whatever
   * happens.
   * @returns for how long it was frozen; null when it was not
   * @throws what the operation throws; the reason of the signal
   */
  async whileFrozen(
    machine: LiveMachine,
    mountPoint: string,
    operation: () => Promise<void>,
    signal?: AbortSignal,
  ): Promise<number | null> {
    let mayBeFrozen = false;
    let outcome: Promise<void> | undefined;
    let frozenMs: number | null = null;
    try {
      await this.conversations.talkSoon(machine, FREEZE_MS, signal, async (agent) => {
        mayBeFrozen = true;
        const frozen = frozenCount.parse(await agent.call('guest-fsfreeze-freeze-list', { mountpoints: [mountPoint] }));
        const frozenAt = performance.now();
        outcome = operation();
        await outcome.catch(() => undefined);
        if (frozen > 0) frozenMs = performance.now() - frozenAt;
        agent.allow(THAW_MS);
        await thaw(agent);
        mayBeFrozen = false;
      });
    } catch (error) {
      this.logger.warn({ err: error, machineId: machine.id }, 'a guest does not freeze or thaw');
    } finally {
      if (mayBeFrozen) this.thawSoon(machine);
    }
    signal?.throwIfAborted();
    await (outcome ?? operation());
    return frozenMs;
  }

  /** Thaws a guest that may be frozen, as soon as it answers. */
  thawSoon(machine: LiveMachine): void {
    if (this.thawing.has(machine)) return;
    this.thawing.add(machine);
    // Nothing but the end of the driver ends it early.
    this.keepThawing(machine).then(
      () => this.thawing.delete(machine),
      () => this.thawing.delete(machine),
    );
  }

  stop(): void {
    this.stopped.abort();
    this.stopped = new AbortController();
  }

  private async keepThawing(machine: LiveMachine): Promise<void> {
    const { signal } = this.stopped;
    for (let attempt = 1; machine.state === 'running' && !machine.isBeingDestroyed; attempt++) {
      try {
        await this.conversations.talk(machine, THAW_MS, signal, thaw);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (attempt === 1) this.logger.warn({ err: error, machineId: machine.id }, 'a guest does not thaw yet');
      }
      await delay(THAW_RETRY_MS, signal);
    }
  }
}

const thaw = (agent: GuestAgent): Promise<unknown> => agent.call('guest-fsfreeze-thaw', {});
