import { z } from 'zod';
import { delay } from '../delay.js';
import { MachineError } from '../machine-error.js';
import { GuestAgent } from './guest-agent.js';

const nanoseconds = z.number();

/** How far the speed of a guest's clock may be off. */
const TOLERANCE = 0.02;
const PAUSE_MS = 1_000;
/** A clock that nothing certain is known of for so long is off by less than what a host this busy does to everything. */
const DECIDED_WITHIN_MS = 10_000;

/** A guest measured its processor's counter wrongly when it booted; booting it again measures anew. */
export class WrongGuestClock extends MachineError {
  constructor(message: string) {
    super('failed', message);
  }
}

/** What a guest's clock showed at some moment between two of its host's, in milliseconds. */
export interface ClockReading {
  readonly guestMs: number;
  readonly askedAtMs: number;
  readonly toldAtMs: number;
}

/** @param socketPath of its agent. Nobody may set its clock from one reading to the other. @throws as GuestAgent.talk */
export function readGuestClock(socketPath: string, signal?: AbortSignal): Promise<ClockReading> {
  return GuestAgent.talk(socketPath, 10_000, signal, async (agent) => {
    const askedAtMs = performance.now();
    const guestMs = nanoseconds.parse(await agent.call('guest-get-time', {})) / 1e6;
    return { guestMs, askedAtMs, toldAtMs: performance.now() };
  });
}

/**
 * Waits until it is certain whether a guest's clock runs as its host's, for at most 10 s since the first reading. A guest
 * that answers slowly is asked again: the longer ago the first reading, the less that matters.
 * @throws WrongGuestClock when it certainly does not; what `read` throws; the reason of the signal
 */
export async function requireRightClock(
  first: ClockReading,
  read: () => Promise<ClockReading>,
  signal?: AbortSignal,
  pauseMs = PAUSE_MS,
): Promise<void> {
  for (;;) {
    const last = await read();
    const passedMs = last.guestMs - first.guestMs;
    const slowest = passedMs / (last.toldAtMs - first.askedAtMs);
    const fastest = passedMs / Math.max(1, last.askedAtMs - first.toldAtMs);
    if (slowest > 1 + TOLERANCE || fastest < 1 - TOLERANCE) {
      const speed = [slowest, fastest].map((times) => times.toFixed(2)).join(' to ');
      throw new WrongGuestClock(`the clock of the guest does not run as its host's: ${speed} times as fast`);
    }
    const isRight = slowest > 1 - TOLERANCE && fastest < 1 + TOLERANCE;
    if (isRight || last.toldAtMs - first.askedAtMs > DECIDED_WITHIN_MS) return;
    await delay(pauseMs, signal);
  }
}
