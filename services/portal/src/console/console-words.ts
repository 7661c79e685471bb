import type {
  AppAssignmentKind,
  AppAssignmentView,
  AppMode,
  AppRing,
  AppVersionState,
  AppVersionView,
  ImageVersionView,
} from '#libs/contracts';

export const kindWords: Readonly<Record<AppAssignmentKind, string>> = {
  assigned: 'Everybody has it',
  allowed: 'May add it',
};

export const modeWords: Readonly<Record<AppMode, string>> = {
  'at-logon': 'At logon',
  'on-demand': 'When first opened',
};

export const ringWords: Readonly<Record<AppRing, string>> = { pilot: 'Pilot', broad: 'Everyone' };

export const versionStateWords: Readonly<Record<AppVersionState, string>> = {
  published: 'Published',
  withdrawn: 'Withdrawn',
  damaged: 'Damaged',
};

export const imageStateWords: Readonly<Record<ImageVersionView['state'], string>> = {
  importing: 'Importing',
  validating: 'Validating',
  published: 'Published',
  retired: 'Retired',
  failed: 'Failed',
};

/** `812 B`, `64 kB`, `19.2 MB`, `214 MB`, `1.3 GB`, in thousands. */
export function wordsForBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (unit < units.length - 1 && Number(value.toFixed(0)) >= 1000) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit >= 2 && value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** The day alone, as the browser's language writes it. */
export function wordsForDay(timestamp: string): string {
  return new Date(timestamp).toLocaleDateString([], { day: 'numeric', month: 'short', year: 'numeric' });
}

/** Day and time as the browser's language writes them. */
export function wordsForTime(timestamp: string): string {
  const time = new Date(timestamp).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return `${wordsForDay(timestamp)}, ${time}`;
}

/** `Debian 12, x86_64`. */
export function wordsForOs({ id, versionId, architecture }: AppVersionView['os']): string {
  return `${id.charAt(0).toUpperCase()}${id.slice(1)} ${versionId}, ${architecture}`;
}

/** On how many hosts an image version lies ready. */
export function wordsForHosts(hosts: ImageVersionView['hosts']): string {
  const ready = hosts.filter((host) => host.ready).length;
  if (hosts.length === 0) return 'On none yet';
  if (ready === hosts.length) return ready === 1 ? 'Ready on 1' : `Ready on all ${ready}`;
  return `Ready on ${ready} of ${hosts.length}`;
}

/** `1 person`, `12 people`. */
export function wordsForPeople(count: number): string {
  return count === 1 ? '1 person' : `${count} people`;
}

/** Which version an assignment asks for. */
export function wordsForVersionChoice(
  assignment: Pick<AppAssignmentView, 'version' | 'ring'>,
  versions: readonly AppVersionView[],
): string {
  if (assignment.version !== null) return `Always ${labelOf(assignment.version, versions)}`;
  return assignment.ring === 'pilot' ? 'Newest, pilots too' : 'Newest';
}

/** The label of version `number`, or its number where the list does not hold it. */
export function labelOf(number: number, versions: readonly AppVersionView[]): string {
  return versions.find((version) => version.number === number)?.label ?? `no. ${number}`;
}

/** The newest version that `ring` gives to people; null when there is none. `versions`: newest first. */
export function newestOf(ring: AppRing, versions: readonly AppVersionView[]): AppVersionView | null {
  return (
    versions.find((version) => version.state === 'published' && (ring === 'pilot' || version.ring === 'broad')) ?? null
  );
}
