import { appEntrySchema, nameSchema } from '#libs/contracts';
import { guestPaths } from '../guest-contract.js';
import type { HypervisorDriver } from '../hypervisor-driver.js';
import { MachineError } from '../machine-error.js';
import type { GuestAppsOptions } from './sync-guest-apps.js';

/**
 * Starts an application that is merged, as the person in the running session. Returns when its process exists; its
 * window comes later.
 * @param options.entry desktop file of one of its entries; the application's own without it
 * @throws MachineError `not-found` or `guest-unresponsive` as `runInGuest`; `failed` when the desktop does not have it
 */
export async function startGuestApp(
  driver: Pick<HypervisorDriver, 'runInGuest'>,
  machineId: string,
  name: string,
  options: GuestAppsOptions & { readonly entry?: string } = {},
): Promise<void> {
  const { timeoutMs = 15_000, entry, ...call } = options;
  const args = ['start', nameSchema.parse(name)];
  if (entry !== undefined) args.push(appEntrySchema.shape.id.parse(entry));
  const { exitCode, stderr } = await driver.runInGuest(machineId, { path: guestPaths.apps, args, timeoutMs }, call);
  if (exitCode === 0) return;
  throw new MachineError('failed', `the guest cannot start ${name}: ${stderr.trim().slice(0, 300)}`);
}
