import { useState } from 'react';
import type { ProfileLimitView } from '#libs/contracts';
import { usePortal } from '../state/portal-context.js';
import { useResource } from '../state/use-resource.js';
import { PlusIcon } from '../ui/icons.js';
import { wordsForMiB } from '../words/amount-words.js';
import { useConsoleClient } from './console-context.js';
import { ConsoleLink } from './console-link.js';
import { LimitDialog } from './limit-dialog.js';
import { LimitRemoveDialog } from './limit-remove-dialog.js';
import { Loaded } from './loaded.js';

type Open =
  | { readonly kind: 'set'; readonly limit: ProfileLimitView | null }
  | { readonly kind: 'remove'; role: string };

/** How large the profiles of people in each role may be. */
export function LimitsPage() {
  const portal = usePortal();
  const limits = useResource(useConsoleClient().limits);
  const [open, setOpen] = useState<Open | null>(null);
  const done = async (text: string): Promise<void> => {
    portal.say('info', text);
    await limits.reload();
  };
  return (
    <>
      <ConsoleLink to="/console/people" className="back-link">
        ‹ All people
      </ConsoleLink>
      <div className="section-head">
        <div>
          <h1>Profile sizes</h1>
          <p className="lead">
            How large profiles may be, from people’s next logon on. Of several roles the largest holds; profiles never
            get smaller.
          </p>
        </div>
        <button
          type="button"
          className="button button-gold button-small"
          data-testid="set-limit"
          onClick={() => setOpen({ kind: 'set', limit: null })}
        >
          <PlusIcon /> Set for a role
        </button>
      </div>
      <Loaded resource={limits}>
        {(all) =>
          all.length === 0 ? (
            <p className="table-empty">No role has a size of its own: the default of the system holds for everybody.</p>
          ) : (
            <div className="table-card">
              <table data-testid="limits-table">
                <thead>
                  <tr>
                    <th scope="col">Role</th>
                    <th scope="col">Profiles up to</th>
                    <th scope="col">
                      <span className="hidden-words">Actions</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {all.map((limit) => (
                    <tr key={limit.role} data-testid={`limit-${limit.role}`}>
                      <th scope="row">{limit.role}</th>
                      <td className="nowrap">{wordsForMiB(limit.sizeMiB)}</td>
                      <td className="row-actions">
                        <button
                          type="button"
                          className="button button-quiet button-small"
                          aria-label={`Change the size for ${limit.role}`}
                          data-testid={`change-limit-${limit.role}`}
                          onClick={() => setOpen({ kind: 'set', limit })}
                        >
                          Change
                        </button>
                        <button
                          type="button"
                          className="button button-quiet button-small"
                          aria-label={`Use the default for ${limit.role}`}
                          data-testid={`remove-limit-${limit.role}`}
                          onClick={() => setOpen({ kind: 'remove', role: limit.role })}
                        >
                          Use default
                        </button>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
      {open?.kind === 'set' && <LimitDialog present={open.limit} onDone={done} onClose={() => setOpen(null)} />}
      {open?.kind === 'remove' && <LimitRemoveDialog role={open.role} onDone={done} onClose={() => setOpen(null)} />}
    </>
  );
}
