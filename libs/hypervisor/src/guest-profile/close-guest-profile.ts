import type { CallOptions, HypervisorDriver } from '../hypervisor-driver.js';
import { type GuestProfileClosing, parseClosing } from './guest-profile-report.js';
import { runProfileProgram } from './run-profile-program.js';

export interface GuestProfileOptions extends CallOptions {
  /** Deadline for the whole call; the guest goes on with what it was told when it passes. */
  readonly timeoutMs?: number;
}

/**
 * Has a desktop close its profile: ends the programs of the person (asked to, killed after 5 s), writes everything to
 * the disk and lets go of it. The waiting screen stays. Safe to repeat.
 * @param options.timeoutMs default 30,000
 * @throws MachineError `not-found` or `guest-unresponsive` as `runInGuest`; `failed` when the guest cannot be understood
 */
export async function closeGuestProfile(
  driver: Pick<HypervisorDriver, 'runInGuest'>,
  machineId: string,
  options: GuestProfileOptions = {},
): Promise<GuestProfileClosing> {
  const { timeoutMs = 30_000, ...call } = options;
  return parseClosing(await runProfileProgram(driver, machineId, { args: ['close'], timeoutMs, leastMs: 50 }, call));
}
