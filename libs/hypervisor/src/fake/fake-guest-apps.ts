import type { GuestAppFailure } from '../guest-apps/guest-apps-report.js';
import { escapeField, unescapeField } from '../guest-apps/sync-input.js';
import type { GuestCommand, GuestResult } from '../hypervisor-driver.js';

/** What a fake guest has of applications. */
export interface FakeGuestApps {
  /** Merged layers, by name: the volume each comes from. */
  readonly merged: Map<string, string>;
  /** Names in the menu of which nothing is there yet. */
  readonly onDemand: Set<string>;
  /** What was started, in that order. */
  readonly started: string[];
}

/** Answers the `apps` program as a real guest does, as far as its host can tell. */
export function runFakeGuestApps(
  apps: FakeGuestApps,
  has: (volumeId: string) => boolean,
  fault: (volumeId: string, name: string) => GuestAppFailure | undefined,
  { args, input }: GuestCommand,
): GuestResult {
  const [verb, name = ''] = args;
  if (verb === 'sync') return { exitCode: 0, stdout: sync(apps, has, fault, input ?? ''), stderr: '' };
  if (verb !== 'start') return { exitCode: 2, stdout: '', stderr: 'usage: apps sync | apps start NAME [ENTRY]' };
  if (!apps.merged.has(name)) return { exitCode: 3, stdout: '', stderr: `there is no application ${name}` };
  apps.started.push(name);
  return { exitCode: 0, stdout: '', stderr: '' };
}

function sync(
  apps: FakeGuestApps,
  has: (volumeId: string) => boolean,
  fault: (volumeId: string, name: string) => GuestAppFailure | undefined,
  input: string,
): string {
  const lines = input.split('\n').map((line) => line.split('\t').map(unescapeField));
  const output: string[][] = [];
  const wanted = new Map(
    lines.flatMap(([kind, name, volume]) => (kind === 'attached' ? [[name, volume]] : [])) as [string, string][],
  );
  for (const [name, volumeId] of apps.merged) {
    if (wanted.get(name) === volumeId) continue;
    apps.merged.delete(name);
    output.push(['removed', name]);
  }
  apps.onDemand.clear();
  for (const [name, volumeId] of wanted) {
    const reason = apps.merged.has(name) ? undefined : has(volumeId) ? fault(volumeId, name) : 'failed';
    if (reason) output.push(['failed', name, reason, `the fake layer is to be ${reason}`]);
    else {
      apps.merged.set(name, volumeId);
      output.push(['ready', name]);
    }
  }
  for (const [kind, name = ''] of lines) {
    if (kind !== 'on-demand') continue;
    apps.onDemand.add(name);
    output.push(['on-demand', name]);
  }
  output.push(['took', 'total', '0']);
  return output.map((fields) => `${fields.map(escapeField).join('\t')}\n`).join('');
}
