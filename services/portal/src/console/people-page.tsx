import { useState } from 'react';
import type { ProfileView } from '#libs/contracts';
import { useResource } from '../state/use-resource.js';
import { wordsForTime } from '../words/amount-words.js';
import { AppChips } from './app-chips.js';
import { profilesAtMost } from './console-client.js';
import { useConsoleClient } from './console-context.js';
import { ConsoleLink } from './console-link.js';
import { wordsForPeople } from './console-words.js';
import { filterPeople } from './filter-people.js';
import { Loaded } from './loaded.js';

/** Rows drawn at once: thousands of people would make the page slow, and nobody reads them. */
const shownAtMost = 200;

/** What each person's roaming profile held at their last logon. */
export function PeoplePage() {
  const profiles = useResource(useConsoleClient().profiles);
  const [filter, setFilter] = useState('');
  return (
    <>
      <div className="section-head section-head-page">
        <div>
          <h1>People</h1>
          <p className="lead">Everybody who has logged on, and what they got.</p>
        </div>
        <div className="head-actions">
          <ConsoleLink to="/console/limits" className="button button-quiet" testId="to-limits">
            Profile sizes
          </ConsoleLink>
          <label className="filter">
            <span className="hidden-words">Filter by name, role or application</span>
            <input
              type="search"
              data-testid="people-filter"
              placeholder="Name, role or application"
              value={filter}
              onChange={(event) => setFilter(event.target.value)}
            />
          </label>
        </div>
      </div>
      <Loaded resource={profiles}>{(all) => <People all={all} shown={filterPeople(all, filter)} />}</Loaded>
    </>
  );
}

function People({ all, shown }: { readonly all: readonly ProfileView[]; readonly shown: readonly ProfileView[] }) {
  if (all.length === 0) return <p className="table-empty">Nobody has logged on yet.</p>;
  return (
    <>
      <p className="count" role="status" data-testid="people-count">
        {shown.length === all.length ? wordsForPeople(all.length) : `${shown.length} of ${wordsForPeople(all.length)}`}
        {shown.length > shownAtMost && `, the first ${shownAtMost} are shown`}
        {all.length === profilesAtMost && ' (those who logged on last)'}
      </p>
      {shown.length > 0 && (
        <div className="table-card">
          <table data-testid="people-table">
            <thead>
              <tr>
                <th scope="col">Person</th>
                <th scope="col">Roles</th>
                <th scope="col">Applications</th>
                <th scope="col">Last logon</th>
              </tr>
            </thead>
            <tbody>
              {shown.slice(0, shownAtMost).map((profile) => (
                <tr key={profile.username} data-testid={`person-${profile.username}`}>
                  <th scope="row">
                    <ConsoleLink
                      to={`/console/people/${encodeURIComponent(profile.username)}`}
                      className="person-link"
                      testId={`person-link-${profile.username}`}
                    >
                      {profile.username}
                    </ConsoleLink>
                  </th>
                  <td>{profile.roles.join(', ') || <span className="muted">None</span>}</td>
                  <td>
                    <AppChips apps={profile.apps} />
                  </td>
                  <td className="nowrap">{wordsForTime(profile.updatedAt)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
