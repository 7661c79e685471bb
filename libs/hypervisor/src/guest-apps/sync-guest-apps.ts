import { guestPaths } from '../guest-contract.js';
import type { CallOptions, HypervisorDriver } from '../hypervisor-driver.js';
import { MachineError } from '../machine-error.js';
import { type GuestAppsReport, parseGuestAppsReport } from './guest-apps-report.js';
import { syncInput } from './sync-input.js';
import { type WantedApp, wantedAppsSchema } from './wanted-app.js';

/** The least that a guest needs with hardware virtualisation is less than this, which nobody notices. */
const LEAST_MS = 100;

export interface GuestAppsOptions extends CallOptions {
  /** Deadline for the whole call. Default 30,000. */
  readonly timeoutMs?: number;
}

/**
 * Makes the applications of a desktop exactly the wanted ones: the guest merges the layers of those volumes, which it
 * must have been given before, takes away all others (their programs are ended), and draws its menu anew. One that
 * cannot be had does not stop the others. Safe to repeat; the last call decides.
 * @throws MachineError `not-found` or `guest-unresponsive` as `runInGuest`; `failed` when the guest cannot do it at all
 */
export async function syncGuestApps(
  driver: Pick<HypervisorDriver, 'runInGuest'>,
  machineId: string,
  wanted: readonly WantedApp[],
  options: GuestAppsOptions = {},
): Promise<GuestAppsReport> {
  const { timeoutMs = 30_000, ...call } = options;
  const input = syncInput(wantedAppsSchema.parse(wanted));
  const command = { path: guestPaths.apps, args: ['sync'], input, timeoutMs, leastMs: LEAST_MS };
  const { exitCode, stdout, stderr } = await driver.runInGuest(machineId, command, call);
  if (exitCode !== 0) {
    const said = stderr.trim().slice(0, 300);
    throw new MachineError('failed', `the guest of machine ${machineId} cannot set up its applications: ${said}`);
  }
  return parseGuestAppsReport(wanted, stdout);
}
