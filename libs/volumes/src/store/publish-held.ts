import type { Hold } from '../hold/hold.js';
import type { Version } from '../version/version.js';
import type { VersionRegister } from '../version/version-register.js';

/**
 * Names a version whose manifest and chunks this hold keeps.
 * @throws VolumeError 'version-exists', and 'hold-lost' when the hold did not last until the name was there: it is gone then
 */
export async function publishHeld(
  register: VersionRegister,
  hold: Hold,
  named: Omit<Version, 'number'>,
  number: number | undefined,
): Promise<Version> {
  hold.requireValid();
  const { version, isNew } = await register.publish(named, number);
  try {
    // The last step may have taken longer than the hold lasted.
    if (isNew) hold.requireValid();
    return version;
  } catch (error) {
    await register.delete(version.volume, version.number);
    throw error;
  }
}
