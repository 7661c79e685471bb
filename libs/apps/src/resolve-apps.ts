import type { AppAssignmentKind, AppMode, AppRing, AppVersionState } from '#libs/contracts';

/** What people of a role get of an application. */
export interface RoleAssignment {
  readonly appId: string;
  readonly role: string;
  readonly kind: AppAssignmentKind;
  /** A fixed version; null: the newest of the ring. */
  readonly version: number | null;
  readonly ring: AppRing;
  readonly mode: AppMode;
}

/** What the choice of a version depends on. */
export interface ChoosableVersion {
  readonly id: string;
  readonly appId: string;
  readonly number: number;
  readonly state: AppVersionState;
  readonly ring: AppRing;
}

/** An application that a person gets, by the version that it is. */
export interface ResolvedApp {
  readonly appId: string;
  readonly versionId: string;
  readonly mode: AppMode;
  /** The role that the version comes from. */
  readonly role: string;
  readonly isPinned: boolean;
}

interface Offer {
  readonly assignment: RoleAssignment;
  readonly version: ChoosableVersion;
}

/**
 * The version that an assignment gives: the fixed one, or the newest of its ring, of those that may be attached.
 * @param versions of any applications
 */
export function servedVersion(
  assignment: Omit<RoleAssignment, 'role' | 'kind' | 'mode'>,
  versions: readonly ChoosableVersion[],
  states: readonly AppVersionState[] = ['published'],
): ChoosableVersion | undefined {
  return versions
    .filter(({ appId, state }) => appId === assignment.appId && states.includes(state))
    .filter(({ number, ring }) =>
      assignment.version === null ? assignment.ring === 'pilot' || ring === 'broad' : number === assignment.version,
    )
    .reduce<ChoosableVersion | undefined>(
      (newest, version) => (newest && newest.number >= version.number ? newest : version),
      undefined,
    );
}

/**
 * The applications of a person with these roles, one entry for each. Assigned beats allowed, a fixed version beats a
 * ring, then the newest wins; it is there at logon when any of the roles says so. An assignment without a version to
 * give does not take part.
 * @param pins ids of the applications that the person chose; only these are given of what is merely allowed
 * @param states what may be given; with `damaged` among them the answer tells what a person goes without
 */
export function resolveApps(
  roles: readonly string[],
  assignments: readonly RoleAssignment[],
  versions: readonly ChoosableVersion[],
  pins: readonly string[],
  states: readonly AppVersionState[] = ['published'],
): ResolvedApp[] {
  const offers = assignments
    .filter(({ role, kind, appId }) => roles.includes(role) && (kind === 'assigned' || pins.includes(appId)))
    .flatMap((assignment) => {
      const version = servedVersion(assignment, versions, states);
      return version ? [{ assignment, version }] : [];
    });
  return [...new Set(offers.map(({ assignment }) => assignment.appId))].map((appId) => {
    const ofApp = offers.filter(({ assignment }) => assignment.appId === appId);
    const assigned = ofApp.filter(({ assignment }) => assignment.kind === 'assigned');
    return resolved(assigned.length > 0 ? assigned : ofApp);
  });
}

function resolved(offers: readonly Offer[]): ResolvedApp {
  const [best] = offers.toSorted(
    (a, b) =>
      Number(b.assignment.version !== null) - Number(a.assignment.version !== null) ||
      b.version.number - a.version.number ||
      (a.assignment.role < b.assignment.role ? -1 : 1),
  );
  if (!best) throw new Error('an application without an offer');
  return {
    appId: best.assignment.appId,
    versionId: best.version.id,
    mode: offers.some(({ assignment }) => assignment.mode === 'at-logon') ? 'at-logon' : 'on-demand',
    role: best.assignment.role,
    isPinned: best.assignment.kind === 'allowed',
  };
}
