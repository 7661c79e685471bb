import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { bytes } from '../text/format.js';
import { table } from '../text/table.js';

const MIB = 1024 * 1024;

/** How large profiles of people in each role may be. */
export async function listLimits(context: CommandContext): Promise<CommandResult> {
  const limits = await (await context.broker()).profileLimits();
  const rows = limits.map(({ role, sizeMiB }) => [role, bytes(sizeMiB * MIB)]);
  return { document: limits, text: table(['role', 'size'], rows, 'No role has a limit of its own: the default holds') };
}

/** Sets the limit of a role; null takes it away. */
export async function setLimit(context: CommandContext, role: string, sizeMiB: number | null): Promise<CommandResult> {
  const broker = await context.broker();
  if (sizeMiB === null) {
    await broker.removeProfileLimit(role);
    return { document: { role, sizeMiB: null }, text: `The role ${role} has no limit of its own any more` };
  }
  const limit = await broker.setProfileLimit(role, sizeMiB);
  return {
    document: limit,
    text: `Profiles of the role ${role} may be ${bytes(limit.sizeMiB * MIB)}, from the next logon on; those that are larger stay so`,
  };
}
