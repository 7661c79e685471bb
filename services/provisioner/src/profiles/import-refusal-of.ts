import { DESTROYED_HERE, ImportRefused, LeaseError, ProfileKeyError, RecordError } from '#libs/profiles';
import { VolumeError } from '#libs/volumes';

/** What IT is told when an import is given up; null when the error may not last. */
export function importRefusalOf(error: unknown): string | null {
  if (error instanceof ImportRefused || error instanceof RecordError) return error.message;
  if (error instanceof ProfileKeyError) {
    return error.code === 'unknown-master-key'
      ? 'This site does not have the master key that wraps the key of this profile. Give its provisioners the one of ' +
          'the site that made it: as GOLDLEAF_PROFILE_MASTER_KEY, or among GOLDLEAF_PROFILE_FORMER_MASTER_KEYS'
      : 'The key in the record is damaged';
  }
  if (VolumeError.is(error, 'key-wrong', 'key-missing')) return 'The version does not open with the key in its record';
  if (VolumeError.is(error, 'version-missing'))
    return "The version is not in this site's own store: copy it there first";
  if (VolumeError.is(error, 'manifest-damaged')) return error.message;
  if (LeaseError.is(error, 'held', 'lost')) return 'A desktop has the profile open: log its person off first';
  if (LeaseError.is(error, 'deleted')) return DESTROYED_HERE;
  return null;
}
