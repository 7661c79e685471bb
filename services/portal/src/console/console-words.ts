import type {
  AppAssignmentKind,
  AppAssignmentView,
  AppMode,
  AppRing,
  AppVersionState,
  AppVersionView,
  DesktopState,
  ImageVersionView,
  ProfileVersionReason,
  ProfileVersionView,
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

export const desktopStateWords: Readonly<Record<DesktopState, string>> = {
  provisioning: 'Being made',
  available: 'Ready',
  assigned: 'In use',
  recycling: 'Ending',
  quarantined: 'Put aside',
  deleted: 'Gone',
};

export const imageStateWords: Readonly<Record<ImageVersionView['state'], string>> = {
  importing: 'Importing',
  validating: 'Validating',
  published: 'Published',
  retired: 'Retired',
  failed: 'Failed',
};

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

/** Why a version of a profile was made, as IT reads it. */
export function versionReasonForIt({
  reason,
  restoredFrom,
}: Pick<ProfileVersionView, 'reason' | 'restoredFrom'>): string {
  return restoredFrom === null ? reasonWords[reason] : `Restored from version ${restoredFrom}`;
}

const reasonWords: Readonly<Record<ProfileVersionReason, string>> = {
  first: 'First',
  'write-back': 'While in use',
  disconnect: 'At disconnect',
  'log-off': 'At log-off',
  recycle: 'At a clean restart',
  roamed: 'Signed in elsewhere',
  restored: 'Restored',
};
