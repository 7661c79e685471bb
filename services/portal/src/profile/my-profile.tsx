import type { ProfileVolumeView } from '#libs/contracts';
import { ProfileCard } from './profile-card.js';

interface Props {
  readonly volumes: readonly ProfileVolumeView[];
  onChange(): Promise<void>;
}

/** The person's own profiles, where they have any, and the way back to an earlier state of them. */
export function MyProfile({ volumes, onChange }: Props) {
  if (volumes.length === 0) return null;
  return (
    <section className="my-profile" aria-labelledby="my-profile-title" data-testid="my-profile">
      <h2 id="my-profile-title">My profile</h2>
      <p className="shelf-note">Your own files and settings, which come with you to every desktop.</p>
      {volumes.map((volume) => (
        <ProfileCard key={volume.context} volume={volume} named={volumes.length > 1} onChange={onChange} />
      ))}
    </section>
  );
}
