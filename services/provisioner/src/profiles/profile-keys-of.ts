import type { AppConfig } from '#libs/config';
import { ProfileKeys, parseMasterKey } from '#libs/profiles';

/** What unwraps the keys of profiles. @returns null without a master key: then there are no profiles on this host */
export function profileKeysOf(
  config: Partial<Pick<AppConfig, 'profileMasterKey' | 'formerProfileMasterKeys'>>,
): ProfileKeys | null {
  const { profileMasterKey, formerProfileMasterKeys = [] } = config;
  if (!profileMasterKey) return null;
  const former = formerProfileMasterKeys.map((key) => parseMasterKey(key.reveal()));
  return new ProfileKeys(parseMasterKey(profileMasterKey.reveal()), former);
}
