import { usePortal, usePortalState } from '../state/portal-context.js';
import { leavePlace } from '../state/profile-place.js';
import { Brand } from '../ui/logo.js';

/** The head of a person's own pages. */
export function PortalTop() {
  const portal = usePortal();
  const { user } = usePortalState();
  return (
    <header className="top">
      <Brand />
      <div className="top-user">
        <span className="top-name" title={user?.username}>
          {user?.displayName}
        </span>
        {user?.isAdmin && (
          <a className="button button-quiet" href="/console" data-testid="to-console">
            IT console
          </a>
        )}
        <button
          type="button"
          className="button button-quiet"
          data-testid="sign-out"
          onClick={() => {
            leavePlace();
            void portal.signOut();
          }}
        >
          Sign out
        </button>
      </div>
    </header>
  );
}
