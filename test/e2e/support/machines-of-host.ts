import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What a machine at rest has on disk, and nothing else. */
const RUN_FILES = [
  ...['agent.sock', 'apps.sock', 'events.in', 'events.out', 'identity.sock'],
  ...['leaf.luks', 'qemu.log', 'qmp.sock'],
];

/** A machine as it lies on disk at one moment, whole or not. */
export interface MachineOnDisk {
  readonly id: string;
  readonly hasLeaf: boolean;
  /** QEMU's monitor is there. */
  readonly hasMonitor: boolean;
  /** Written when the machine is made, and the first thing that is removed. */
  readonly hasRecord: boolean;
}

/** What the machines of one state folder have left on their host, looked at from outside. */
export class MachinesOfHost {
  readonly machinesDir: string;
  readonly parentsDir: string;

  constructor(stateDir: string) {
    this.machinesDir = join(stateDir, 'machines');
    this.parentsDir = join(stateDir, 'parents');
  }

  /** Quick: to be asked again and again. */
  onDisk(): MachineOnDisk[] {
    return foldersIn(this.machinesDir).map((id) => ({
      id,
      hasLeaf: existsSync(this.path(id, 'run/leaf.luks')),
      hasMonitor: existsSync(this.path(id, 'run/qmp.sock')),
      hasRecord: existsSync(this.path(id, 'machine.json')),
    }));
  }

  path(id: string, file: string): string {
    return join(this.machinesDir, id, file);
  }

  /** Process ids of all QEMUs, parents included, by machine. */
  processes(): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const [, id] = workingFolder(pid)?.match(/\/(?:machines|parents)\/([^/]+)\/run(?: \(deleted\))?$/) ?? [];
      if (id && workingFolder(pid)?.startsWith(join(this.machinesDir, '..'))) found.set(id, Number(pid));
    }
    return found;
  }

  /** Whether the saved machine that others are forked from is being made. */
  parentsInTheMaking(): string[] {
    return foldersIn(this.parentsDir);
  }

  /** Names of the saved machines. */
  parents(): string[] {
    return entriesOf(this.parentsDir).filter((name) => !UUID.test(name));
  }

  /** Everything that lies there without being part of a whole machine of `ids`. */
  async leftovers(ids: readonly string[]): Promise<string[]> {
    const known = new Set(ids);
    const found = entriesOf(this.machinesDir).filter((name) => !known.has(name) && name !== 'accelerator.json');
    for (const id of ids) {
      const files = await readdir(join(this.machinesDir, id)).catch(() => []);
      const run = await readdir(join(this.machinesDir, id, 'run')).catch(() => []);
      found.push(...files.filter((file) => !['machine.json', 'run'].includes(file)).map((file) => `${id}/${file}`));
      found.push(...run.filter((file) => !RUN_FILES.includes(file)).map((file) => `${id}/run/${file}`));
    }
    found.push(...this.parentsInTheMaking().map((id) => `parent ${id}`));
    found.push(...[...this.processes().keys()].filter((id) => !known.has(id)).map((id) => `process of ${id}`));
    return found;
  }
}

function entriesOf(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

const foldersIn = (dir: string): string[] => entriesOf(dir).filter((name) => UUID.test(name));

function workingFolder(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}
