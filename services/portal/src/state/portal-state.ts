import type { MyApp, PoolSummary, SessionView, UserView } from '#libs/contracts';

export type Screen = 'starting' | 'sign-in' | 'pools' | 'session';

/** One sentence for the person, shown wherever they are. `id` tells two equal sentences apart; `lasting` until dismissed. */
export interface Notice {
  readonly id: number;
  readonly kind: 'info' | 'lasting' | 'error';
  readonly text: string;
}

/** An application that the person asked for. */
export type AppRef = Pick<MyApp, 'name' | 'displayName'>;

/** What the person asked for with a click, kept for the logon progress and for a retry. */
export interface Opening {
  readonly pool: string;
  readonly poolDisplayName: string;
  readonly startedAtMs: number;
  /** False when the pool showed no warm desktop at the click. */
  readonly spareExpected: boolean;
  /** To be started in it. */
  readonly app: AppRef | null;
}

export type PendingAction = 'restart' | 'log-off';

export interface PortalState {
  readonly screen: Screen;
  readonly user: UserView | null;
  /** Null until the first answer. */
  readonly pools: readonly PoolSummary[] | null;
  /** The person's own live sessions. */
  readonly sessions: readonly SessionView[];
  /** The person's applications; null until the first answer, which comes after that about the pools. */
  readonly apps: readonly MyApp[] | null;
  /** The applications could not be read so far. */
  readonly appsUnavailable: boolean;
  readonly opening: Opening | null;
  /** The session on the screen; null between the click and the broker's answer. */
  readonly session: SessionView | null;
  /** True once the desktop was drawn: from then on a failure leads back to the pools, not to a retry. */
  readonly drawn: boolean;
  /** Why the desktop that was asked for does not come; null while it may. */
  readonly failure: string | null;
  readonly pending: PendingAction | null;
  /** Asked for, and the desktop does not have it yet. */
  readonly awaitedApp: AppRef | null;
  readonly notice: Notice | null;
  readonly eventsOnline: boolean;
}

export const initialState: PortalState = {
  screen: 'starting',
  user: null,
  pools: null,
  sessions: [],
  apps: null,
  appsUnavailable: false,
  opening: null,
  session: null,
  drawn: false,
  failure: null,
  pending: null,
  awaitedApp: null,
  notice: null,
  eventsOnline: false,
};

/** States in which a session no longer counts as the person's. */
export function isOver(session: SessionView): boolean {
  return session.state === 'ended' || session.state === 'failed';
}
