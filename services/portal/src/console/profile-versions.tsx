import { useState } from 'react';
import type { ProfileVersionView } from '#libs/contracts';
import { usePortal } from '../state/portal-context.js';
import type { PersonProfile } from './console-client.js';
import { ProfileDeleteDialog } from './profile-delete-dialog.js';
import { ProfileFacts } from './profile-facts.js';
import { ProfileRestoreDialog } from './profile-restore-dialog.js';
import { ProfileVersionRow } from './profile-version-row.js';

interface Props {
  readonly username: string;
  readonly profile: PersonProfile;
  onChange(): Promise<void>;
}

/** One profile of a person: its facts and its versions, newest first, and what IT can do with them. */
export function ProfileVersions({ username, profile, onChange }: Props) {
  const portal = usePortal();
  const [open, setOpen] = useState<'delete' | ProfileVersionView | null>(null);
  const { volume, versions } = profile;
  const { context } = volume;
  const close = (): void => setOpen(null);
  const done = async (text: string): Promise<void> => {
    portal.say('info', text);
    await onChange();
  };
  return (
    <section aria-labelledby={`profile-${context}`} data-testid={`profile-${context}`}>
      <div className="section-head">
        <h2 id={`profile-${context}`}>
          Profile <span className="muted">{context}</span>
        </h2>
        <button
          type="button"
          className="button button-quiet button-small"
          data-testid={`delete-${context}`}
          onClick={() => setOpen('delete')}
        >
          Delete
        </button>
      </div>
      <ProfileFacts volume={volume} />
      {versions.length === 0 ? (
        <p className="table-empty">Nothing was saved yet.</p>
      ) : (
        <div className="table-card">
          <table data-testid={`versions-${context}`}>
            <thead>
              <tr>
                <th scope="col">Version</th>
                <th scope="col">Saved</th>
                <th scope="col">Why</th>
                <th scope="col">Added</th>
                <th scope="col">On</th>
                <th scope="col">
                  <span className="hidden-words">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {versions.map((version) => (
                <ProfileVersionRow
                  key={version.number}
                  context={context}
                  version={version}
                  held={volume.heldBy !== null}
                  onRestore={() => setOpen(version)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {open === 'delete' && <ProfileDeleteDialog username={username} context={context} onDone={done} onClose={close} />}
      {open !== null && open !== 'delete' && (
        <ProfileRestoreDialog username={username} context={context} version={open} onDone={done} onClose={close} />
      )}
    </section>
  );
}
