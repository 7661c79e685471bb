import type { HypervisorDriver } from '../hypervisor-driver.js';
import type { GuestProfileOptions } from './close-guest-profile.js';
import { type GuestProfileSpace, parseUsage } from './guest-profile-report.js';
import { runProfileProgram } from './run-profile-program.js';

/**
 * How full the open profile of a desktop is; null when none is open.
 * @param options.timeoutMs default 10,000
 * @throws MachineError `not-found` or `guest-unresponsive` as `runInGuest`; `failed` when the guest cannot be understood
 */
export async function guestProfileUsage(
  driver: Pick<HypervisorDriver, 'runInGuest'>,
  machineId: string,
  options: GuestProfileOptions = {},
): Promise<GuestProfileSpace | null> {
  const { timeoutMs = 10_000, ...call } = options;
  return parseUsage(await runProfileProgram(driver, machineId, { args: ['usage'], timeoutMs }, call));
}
