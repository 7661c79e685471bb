import type { ProfileHost } from './profile-host.js';
import type { StoredProfile } from './stored-profile.js';

export const MOUNT_POINT = '/run/bench-profile';

/** Has the desktop mount the disk of a profile that it was given, and unmount it afterwards. */
export async function inMountedProfile<T>(
  host: ProfileHost,
  { diskId }: StoredProfile,
  work: () => Promise<T>,
): Promise<T> {
  const findDisk = `disk=$(grep -ls ${diskId} /sys/block/sd*/device/vpd_pg80 | cut -d/ -f4)`;
  const wait = `until ${findDisk}; [ "$disk" ]; do sleep 0.1; done`;
  await host.inGuest(`${wait}; mkdir -p ${MOUNT_POINT}; mount -o noatime /dev/$disk ${MOUNT_POINT}`);
  const result = await work();
  await host.inGuest(`umount ${MOUNT_POINT}`);
  return result;
}
