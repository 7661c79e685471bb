import { useState } from 'react';
import type { DesktopView } from '#libs/contracts';
import { usePortal } from '../state/portal-context.js';
import { useResource } from '../state/use-resource.js';
import { wordsForTime } from '../words/amount-words.js';
import { useConsoleClient } from './console-context.js';
import { desktopStateWords } from './console-words.js';
import { mayBeGivenUp, troubledFirst } from './desktops-to-show.js';
import { GiveUpDialog } from './give-up-dialog.js';
import { Loaded } from './loaded.js';

/** Rows drawn at once: thousands would make the page slow. Those with a problem are among them. */
const shownAtMost = 200;

/** All desktops, and what is wrong with them. */
export function DesktopsPage() {
  const portal = usePortal();
  const desktops = useResource(useConsoleClient().desktops);
  const [givingUp, setGivingUp] = useState<DesktopView | null>(null);
  const done = async (text: string): Promise<void> => {
    portal.say('info', text);
    await desktops.reload();
  };
  return (
    <>
      <h1>Desktops</h1>
      <p className="lead">
        One whose profile cannot be saved stays, and is tried again, until it is saved or given up.
      </p>
      <Loaded resource={desktops}>{(all) => <Desktops all={troubledFirst(all)} onGiveUp={setGivingUp} />}</Loaded>
      {givingUp && <GiveUpDialog desktop={givingUp} onDone={done} onClose={() => setGivingUp(null)} />}
    </>
  );
}

interface DesktopsProps {
  readonly all: readonly DesktopView[];
  onGiveUp(desktop: DesktopView): void;
}

function Desktops({ all, onGiveUp }: DesktopsProps) {
  if (all.length === 0) return <p className="table-empty">There are no desktops.</p>;
  return (
    <>
      {all.length > shownAtMost && (
        <p className="count" role="status">
          {all.length} desktops, {shownAtMost} of them are shown
        </p>
      )}
      <div className="table-card">
        <table data-testid="desktops-table">
          <thead>
            <tr>
              <th scope="col">Person</th>
              <th scope="col">Pool</th>
              <th scope="col">State</th>
              <th scope="col">Since</th>
              <th scope="col">Host</th>
              <th scope="col">
                <span className="hidden-words">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {all.slice(0, shownAtMost).map((desktop) => (
              <tr key={desktop.id} data-testid={`desktop-${desktop.id}`}>
                <th scope="row">
                  <span className="line">{desktop.username ?? <span className="muted">Nobody</span>}</span>
                  <code className="muted" title={desktop.id}>
                    {desktop.id.slice(0, 8)}
                  </code>
                </th>
                <td className="nowrap">{desktop.pool}</td>
                <td>
                  <span className={desktop.state === 'quarantined' ? 'tag tag-red' : 'tag'}>
                    {desktopStateWords[desktop.state]}
                  </span>{' '}
                  {desktop.profileProblem && <span className="tag tag-red">Profile</span>}
                  {desktop.profileProblem && <span className="line muted fault">{desktop.profileProblem}</span>}
                </td>
                <td className="nowrap">{wordsForTime(desktop.stateChangedAt)}</td>
                <td className="nowrap">{desktop.host}</td>
                <td className="row-actions">
                  {mayBeGivenUp(desktop) && (
                    <button
                      type="button"
                      className="button button-quiet button-small"
                      aria-label={`Give up what ${desktop.username ?? 'nobody'} wrote`}
                      data-testid={`give-up-${desktop.id}`}
                      onClick={() => onGiveUp(desktop)}
                    >
                      Give up
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
