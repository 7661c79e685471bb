import { z } from 'zod';

/** What every golden image brings, so that drivers can work with the guest. */
export const guestPaths = {
  /** Exists once the desktop is drawn. */
  ready: '/run/goldleaf/ready',
  /** Takes width and height in pixels. */
  setDisplaySize: '/usr/lib/goldleaf/set-display-size',
  /** `sync` merges the wanted app layers and lets go of others, `start NAME [ENTRY]` starts one; see `guest-apps`. */
  apps: '/usr/lib/goldleaf/apps',
  /** `open` and `close` of the person's profile volume; see `guest-profile`. */
  profile: '/usr/lib/goldleaf/profile',
  /** Where the profile volume is mounted while it is open. */
  home: '/home/user',
} as const;

/** Sizes a display can be given, in pixels. */
export const displaySizeSchema = z.strictObject({
  width: z.int().min(640).max(3840),
  height: z.int().min(480).max(2160),
});

export type DisplaySize = z.infer<typeof displaySizeSchema>;
