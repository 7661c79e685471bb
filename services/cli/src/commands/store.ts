import type { FsckFinding, FsckReport, StoreUsage } from '#libs/volumes';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { withVolumeStore } from '../store/with-volume-store.js';
import { bytes, count } from '../text/format.js';
import { table } from '../text/table.js';

/** What each volume takes. */
export function storeUsage({ env, messages }: CommandContext): Promise<CommandResult> {
  return withVolumeStore(env, { mustExist: true }, async ({ volumes }) => {
    messages.progress('looking at the store', 0);
    const usage = await volumes.usage();
    return { document: usage, text: usageText(usage) };
  });
}

function usageText({ volumes, logicalBytes, storedBytes, unneededBytes }: StoreUsage): string {
  const rows = volumes.map((each) => [
    each.volume,
    each.versions,
    bytes(each.logicalBytes),
    bytes(each.uniqueBytes),
    bytes(each.sharedBytes),
  ]);
  const list = table(['volume', 'versions', 'content', 'only its own', 'shared'], rows, 'The store holds no volumes');
  return `${list}\n\n${bytes(storedBytes)} stored for ${bytes(logicalBytes)} of content; ${bytes(unneededBytes)} of it is needed by no version`;
}

export interface FsckCommandOptions {
  readonly quick?: boolean;
  readonly removeDamaged?: boolean;
}

/** Reads everything and names what is missing or damaged; exit code 1 when anything is. */
export function storeFsck(
  { env, messages, signal }: CommandContext,
  { quick = false, removeDamaged = false }: FsckCommandOptions,
): Promise<CommandResult> {
  if (quick && removeDamaged) throw new CliError('--quick reads nothing, so it finds nothing to remove', 'usage');
  return withVolumeStore(env, { mustExist: true }, async ({ volumes }) => {
    const onProgress = (done: number, of: number) => messages.progress('checking chunks', of === 0 ? 1 : done / of);
    const report = await volumes.fsck({ quick, removeDamaged, signal, onProgress });
    return { document: report, text: fsckText(report), exitCode: report.findings.length > 0 ? 1 : 0 };
  });
}

function fsckText({ versions, chunks, findings }: FsckReport): string {
  const looked = `${count(versions, 'version')} with ${count(chunks, 'chunk')}`;
  if (findings.length === 0) return `${looked}: all in order`;
  const lines = findings.map((finding) => `${finding.problem}  ${finding.key}  needed by ${neededBy(finding)}`);
  return [`${looked}: ${count(findings.length, 'fault')}`, ...lines].join('\n');
}

const neededBy = ({ versions }: FsckFinding): string =>
  versions.map(({ volume, number }) => `${volume} version ${number}`).join(', ');

export interface GcCommandOptions {
  readonly dryRun?: boolean;
}

/** Frees what no version needs. */
export function storeGc(
  { env, messages, signal }: CommandContext,
  { dryRun = false }: GcCommandOptions,
): Promise<CommandResult> {
  return withVolumeStore(env, { mustExist: true }, async ({ volumes }) => {
    messages.progress('looking for what no version needs', 0);
    const collected = await volumes.collectGarbage({
      dryRun,
      signal,
      onProgress: ({ chunks }) => messages.progress(`${count(chunks, 'chunk')} deleted`, 0),
    });
    const what = `${count(collected.chunks, 'chunk')} and ${count(collected.manifests, 'manifest')}, ${bytes(collected.bytes)}`;
    const text = dryRun ? `Would free ${what}` : `Freed ${what}`;
    return { document: { dryRun, ...collected }, text: `${text}; what is younger than an hour stays` };
  });
}
