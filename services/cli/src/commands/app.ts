import type { AppMode, AppRing } from '#libs/contracts';
import { UsageError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { appPage, appTable } from './app-text.js';

/** All applications. */
export async function listApps(context: CommandContext): Promise<CommandResult> {
  const apps = await (await context.broker()).apps();
  return { document: apps, text: appTable(apps) };
}

/** One with its versions and assignments. */
export async function showApp(context: CommandContext, name: string): Promise<CommandResult> {
  const app = await (await context.broker()).app(name);
  return { document: app, text: appPage(app) };
}

export interface AssignOptions {
  readonly version?: number;
  readonly ring?: AppRing;
  readonly mode: AppMode;
  readonly allowed?: boolean;
  readonly now?: boolean;
}

/** Gives an application to a role, or changes how the role gets it. */
export async function assignApp(
  context: CommandContext,
  name: string,
  role: string,
  { version = undefined, ring, mode, allowed = false, now = false }: AssignOptions,
): Promise<CommandResult> {
  if (version !== undefined && ring !== undefined) {
    throw new UsageError('--version fixes one version, so --ring has nothing to choose: give one of them');
  }
  const broker = await context.broker();
  const app = await broker.assignApp(name, role, {
    kind: allowed ? 'allowed' : 'assigned',
    version: version ?? null,
    ring: ring ?? 'broad',
    mode,
    now,
  });
  const what = version === undefined ? name : `version ${version} of ${name}`;
  const gets = allowed ? `may pin ${what}` : `gets ${what}`;
  return { document: app, text: `The role ${role} ${gets} ${now ? 'now' : 'at the next logon'}` };
}

export interface WithdrawOptions {
  readonly version?: number;
  readonly now?: boolean;
}

/** Takes an application from a role, or one version from everybody. */
export async function withdrawApp(
  context: CommandContext,
  name: string,
  role: string | undefined,
  { version, now = false }: WithdrawOptions,
): Promise<CommandResult> {
  if ((role === undefined) === (version === undefined)) {
    throw new UsageError('Name either a role to take it from, or --version N to take that version from everybody');
  }
  const broker = await context.broker();
  if (role !== undefined) {
    const app = await broker.withdrawApp(name, role, now);
    const when = now ? 'now' : 'at the next logon';
    return { document: app, text: `The role ${role} gives ${name} to nobody any more, ${when}` };
  }
  if (now) throw new UsageError('--now goes with a role: a withdrawn version is not attached anew from this moment on');
  const app = await broker.updateAppVersion(name, version ?? 0, { state: 'withdrawn' });
  return { document: app, text: `Version ${version} of ${name} is withdrawn` };
}

/** Gives a version of the pilot ring to all. */
export async function promoteApp(context: CommandContext, name: string, number: number): Promise<CommandResult> {
  const app = await (await context.broker()).updateAppVersion(name, number, { ring: 'broad' });
  return { document: app, text: `Version ${number} of ${name} is in the ring broad` };
}
