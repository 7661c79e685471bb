import type { AppConfig } from '#libs/config';
import { ProfileKeys, parseMasterKey } from '#libs/profiles';

/** Of profiles; none are there without. */
export type MasterKeys = Partial<Pick<AppConfig, 'profileMasterKey' | 'formerProfileMasterKeys'>>;

/** What unwraps the keys of profiles. @returns null without a master key: then there are no profiles on this host */
export function profileKeysOf({ profileMasterKey, formerProfileMasterKeys = [] }: MasterKeys): ProfileKeys | null {
  if (!profileMasterKey) return null;
  const former = formerProfileMasterKeys.map((key) => parseMasterKey(key.reveal()));
  return new ProfileKeys(parseMasterKey(profileMasterKey.reveal()), former);
}
