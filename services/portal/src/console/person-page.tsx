import { useCallback } from 'react';
import { useProfilePlace } from '../state/profile-place.js';
import { useResource } from '../state/use-resource.js';
import { wordsForTime } from '../words/amount-words.js';
import { AppChips } from './app-chips.js';
import { useConsoleClient } from './console-context.js';
import { ConsoleLink } from './console-link.js';
import { Loaded } from './loaded.js';
import { PersonLook } from './person-look.js';
import { ProfileVersions } from './profile-versions.js';

/** One person: what they got at their last logon, and their profiles. */
export function PersonPage({ username }: { readonly username: string }) {
  const client = useConsoleClient();
  const load = useCallback(async () => {
    const [record, profiles] = await Promise.all([client.person(username), client.profilesOf(username)]);
    return { record, profiles };
  }, [client, username]);
  const resource = useResource(load);
  const place = useProfilePlace();
  if (place?.look) {
    const { context, look } = place;
    const profiles = resource.data?.profiles ?? [];
    return (
      <PersonLook key={`${context}/${look.number}`} username={username} place={{ context, look }} profiles={profiles} />
    );
  }
  return (
    <>
      <ConsoleLink to="/console/people" className="back-link">
        ‹ All people
      </ConsoleLink>
      <h1>{username}</h1>
      <Loaded resource={resource}>
        {({ record, profiles }) => (
          <>
            <p className="lead">
              {record
                ? `${record.roles.join(', ') || 'No roles'}. Last logon ${wordsForTime(record.updatedAt)}.`
                : 'Has never logged on.'}
            </p>
            {record && record.apps.length > 0 && (
              <div className="person-apps">
                <AppChips apps={record.apps} />
              </div>
            )}
            {profiles.length === 0 && (
              <p className="table-empty">No profile yet: it is made at the first logon in a pool that has profiles.</p>
            )}
            {profiles.map((profile) => (
              <ProfileVersions
                key={profile.volume.context}
                username={username}
                profile={profile}
                onChange={resource.reload}
              />
            ))}
          </>
        )}
      </Loaded>
    </>
  );
}
