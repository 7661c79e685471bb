import type { MyApp, PoolSummary, SessionView, UserView } from '#libs/contracts';
import type { AppRef, Notice, Opening, PendingAction } from './portal-state.js';

/** Everything that can happen to the page, from the person, the broker or the gateway. */
export type PortalAction =
  | { readonly type: 'signed-in'; readonly user: UserView }
  | { readonly type: 'signed-out'; readonly notice: Notice | null }
  | { readonly type: 'pools'; readonly pools: readonly PoolSummary[] }
  | { readonly type: 'pool'; readonly pool: PoolSummary }
  | { readonly type: 'sessions'; readonly sessions: readonly SessionView[] }
  /** Null: they could not be read. */
  | { readonly type: 'apps'; readonly apps: readonly MyApp[] | null }
  | { readonly type: 'await-app'; readonly app: AppRef | null }
  /** A session as the broker has it now; `notice` is used if this ends what is on the screen. */
  | { readonly type: 'session'; readonly session: SessionView; readonly noticeId: number }
  | { readonly type: 'open'; readonly opening: Opening }
  | { readonly type: 'opened'; readonly session: SessionView }
  | { readonly type: 'open-failed'; readonly failure: string }
  | { readonly type: 'drawn' }
  | { readonly type: 'pending'; readonly pending: PendingAction | null }
  | { readonly type: 'leave'; readonly notice: Notice | null }
  | { readonly type: 'notice'; readonly notice: Notice | null }
  | { readonly type: 'events-online'; readonly online: boolean };
