import type { Random } from '../../../../test/simulation/engine/random.js';
import type { ProfileLeasesSetup } from '../../src/leases/leases-world-conformance.js';
import { type ProfileModel, Violation } from './profile-model.js';
import type { Outcome, Step, Task } from './step.js';

/** The disk that a machine writes: its leaf over the version served. */
export interface Disk {
  readonly served: { readonly number: number; readonly versionId: string };
  readonly blocks: number[];
  /** Changed since the last view that was confirmed. */
  changed: Set<number>;
  /** Changed in what the view shows, until it is confirmed or dropped. */
  viewed: Set<number> | null;
  /** Unmounted: nothing is written any more. */
  isClosed: boolean;
}

export interface SimDesktop {
  readonly id: string;
  readonly host: SimHost;
  state: 'assigned' | 'recycling' | 'deleted';
  /** Its person will not want to keep what they did. */
  readonly isUnwanted: boolean;
}

export interface RunningTask {
  readonly name: string;
  readonly desktop: SimDesktop | null;
  readonly task: Task;
  step: Step | null;
  outcome: Outcome | null;
}

/** A host with what survives its provisioner (machines) and what does not (tasks, the fences it knows). */
export class SimHost {
  /** Disks of machines by desktop; null: the machine has none yet. */
  readonly machines = new Map<string, Disk | null>();
  readonly fences = new Map<string, number>();
  tasks: RunningTask[] = [];
  isUp = true;
  isCutOff = false;
  /** As the observer knows it. */
  isFenced = false;

  constructor(readonly name: string) {}
}

export interface SimWorld {
  readonly setup: ProfileLeasesSetup;
  readonly model: ProfileModel;
  readonly random: Random;
  readonly volumeId: string;
  readonly hosts: SimHost[];
  readonly desktops: SimDesktop[];
  writes: number;
}

/** Moves the desktop in the rows and as everybody sees it. */
export async function moveDesktop({ setup }: SimWorld, desktop: SimDesktop, to: 'recycling' | 'deleted') {
  if (desktop.state === 'deleted' || desktop.state === to) return;
  await setup.moveDesktop(desktop.id, to);
  desktop.state = to;
}

/** At most one machine may write, of those whose word still counts; what they read from is there. */
export function checkWriters({ hosts, model }: SimWorld): void {
  const writers = hosts
    .filter(({ isFenced }) => !isFenced)
    .flatMap(({ machines }) => [...machines.values()])
    .filter((disk) => disk && !disk.isClosed);
  if (writers.length > 1) throw new Violation(`${writers.length} machines write at once`);
  for (const disk of writers) if (disk) model.read({ ...disk.served });
}
