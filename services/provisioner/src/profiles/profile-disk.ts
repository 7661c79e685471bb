/** The disk of a profile within its machine: a name that no application's has, and short enough for a serial number. */
export const profileDiskId = (volumeId: string): string => `profile-${volumeId.replaceAll('-', '').slice(0, 28)}`;

export const isProfileDisk = (diskId: string): boolean => diskId.startsWith('profile-');
