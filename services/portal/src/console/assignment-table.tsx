import { useState } from 'react';
import type { AppAssignmentView, AppView } from '#libs/contracts';
import { usePortal } from '../state/portal-context.js';
import { PlusIcon } from '../ui/icons.js';
import { AssignDialog } from './assign-dialog.js';
import { kindWords, labelOf, modeWords, wordsForVersionChoice } from './console-words.js';
import { Moment } from './moment.js';
import { WithdrawDialog } from './withdraw-dialog.js';

interface Props {
  readonly app: AppView;
  readonly apps: readonly AppView[];
  onChange(): Promise<void>;
}

type Open =
  | { readonly kind: 'assign'; readonly present: AppAssignmentView | null }
  | { readonly kind: 'withdraw'; readonly role: string };

/** Which roles get the application, and what they get. */
export function AssignmentTable({ app, apps, onChange }: Props) {
  const portal = usePortal();
  const [open, setOpen] = useState<Open | null>(null);
  const done = async (text: string): Promise<void> => {
    portal.say('info', text);
    await onChange();
  };

  return (
    <section aria-labelledby="assignments-title">
      <div className="section-head">
        <h2 id="assignments-title">Who gets it</h2>
        <button
          type="button"
          className="button button-gold button-small"
          data-testid="assign"
          onClick={() => setOpen({ kind: 'assign', present: null })}
        >
          <PlusIcon /> Assign to a role
        </button>
      </div>
      {app.assignments.length === 0 ? (
        <p className="table-empty">Nobody gets it yet. Assign it to a role.</p>
      ) : (
        <div className="table-card">
          <table data-testid="assignments-table">
            <thead>
              <tr>
                <th scope="col">Role</th>
                <th scope="col">How</th>
                <th scope="col">Version</th>
                <th scope="col">At the next logon</th>
                <th scope="col">Since</th>
                <th scope="col">
                  <span className="hidden-words">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {app.assignments.map((assignment) => (
                <tr key={assignment.role} data-testid={`assignment-${assignment.role}`}>
                  <th scope="row">{assignment.role}</th>
                  <td className="nowrap">
                    <span className="line">{kindWords[assignment.kind]}</span>
                    <span className="line muted">{modeWords[assignment.mode]}</span>
                  </td>
                  <td>{wordsForVersionChoice(assignment, app.versions)}</td>
                  <td>
                    {assignment.serves === null ? (
                      <span className="tag tag-red">Nothing to give</span>
                    ) : (
                      labelOf(assignment.serves, app.versions)
                    )}
                  </td>
                  <td>
                    <Moment at={assignment.createdAt} by={assignment.createdBy} />
                  </td>
                  <td className="row-actions">
                    <button
                      type="button"
                      className="button button-quiet button-small"
                      aria-label={`Change what ${assignment.role} gets`}
                      data-testid={`change-${assignment.role}`}
                      onClick={() => setOpen({ kind: 'assign', present: assignment })}
                    >
                      Change
                    </button>
                    <button
                      type="button"
                      className="button button-quiet button-small"
                      aria-label={`Withdraw from ${assignment.role}`}
                      data-testid={`withdraw-${assignment.role}`}
                      onClick={() => setOpen({ kind: 'withdraw', role: assignment.role })}
                    >
                      Withdraw
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {open?.kind === 'assign' && (
        <AssignDialog app={app} apps={apps} present={open.present} onDone={done} onClose={() => setOpen(null)} />
      )}
      {open?.kind === 'withdraw' && (
        <WithdrawDialog app={app} role={open.role} onDone={done} onClose={() => setOpen(null)} />
      )}
    </section>
  );
}
