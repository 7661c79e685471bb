import type { PoolSummary, SessionView } from '#libs/contracts';
import { usePortal } from '../state/portal-context.js';
import { MonitorIcon } from '../ui/icons.js';
import { Spinner } from '../ui/spinner.js';
import { wordsForMoment } from '../words/amount-words.js';

interface Props {
  readonly pool: PoolSummary;
  /** The person's live session in this pool, if there is one. */
  readonly session: SessionView | null;
  /** What becomes of what is left there; null when the page has said it for all. */
  readonly keeping: string | null;
}

export function PoolCard({ pool, session, keeping }: Props) {
  const portal = usePortal();
  const closing = session?.state === 'ending';
  const act = (): void => {
    if (session) portal.returnTo(session);
    else void portal.open(pool);
  };

  return (
    <li className={session && !closing ? 'pool-card pool-card-live' : 'pool-card'} data-testid={`pool-${pool.name}`}>
      <div className="pool-icon">
        <MonitorIcon />
      </div>
      <h2>{pool.displayName}</h2>
      <p className="pool-description">{pool.description}</p>
      {keeping && <p className="pool-description">{keeping}</p>}
      <Availability pool={pool} session={session} />
      <button
        type="button"
        className={session ? 'button button-dark button-wide' : 'button button-gold button-wide'}
        data-testid={`open-${pool.name}`}
        aria-label={session ? `Return to your desktop ${pool.displayName}` : `Open ${pool.displayName}`}
        disabled={closing}
        onClick={act}
      >
        {closing ? (
          <>
            <Spinner /> Closing
          </>
        ) : session ? (
          'Return to your desktop'
        ) : (
          'Open'
        )}
      </button>
    </li>
  );
}

function Availability({ pool, session }: Omit<Props, 'keeping'>) {
  if (session?.state === 'ending') return <p className="availability">The last desktop is being discarded</p>;
  if (session)
    return <p className="availability availability-live">Running since {wordsForMoment(session.createdAt)}</p>;
  if (pool.available > 0) return <p className="availability availability-ready">Ready at once</p>;
  return <p className="availability availability-cold">Starts in about half a minute</p>;
}
