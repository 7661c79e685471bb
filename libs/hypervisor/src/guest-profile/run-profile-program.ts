import { guestPaths } from '../guest-contract.js';
import type { CallOptions, GuestCommand, HypervisorDriver } from '../hypervisor-driver.js';
import { MachineError } from '../machine-error.js';

/**
 * Runs the guest's `profile` program. @returns what it printed
 * @throws MachineError as `runInGuest`; `failed` when the program itself broke
 */
export async function runProfileProgram(
  driver: Pick<HypervisorDriver, 'runInGuest'>,
  machineId: string,
  command: Omit<GuestCommand, 'path'>,
  options: CallOptions,
): Promise<string> {
  const { exitCode, stdout, stderr } = await driver.runInGuest(
    machineId,
    { path: guestPaths.profile, ...command },
    options,
  );
  if (exitCode === 0) return stdout;
  const said = stderr.trim().slice(0, 300);
  throw new MachineError('failed', `profile ${command.args[0]} in the guest of machine ${machineId} failed: ${said}`);
}
