import { z } from 'zod';
import { escapeField } from '../guest-apps/sync-input.js';
import type { HypervisorDriver } from '../hypervisor-driver.js';
import { volumeIdSchema } from '../machine-volume.js';
import type { GuestProfileOptions } from './close-guest-profile.js';
import { excludedPathSchema } from './excluded-path.js';
import { type GuestProfileOpening, parseOpening } from './guest-profile-report.js';
import { runProfileProgram } from './run-profile-program.js';

/** The profile that a desktop is to open. */
export interface GuestProfileWish {
  /** Of the writable volume that the machine was given before. */
  readonly volumeId: string;
  /** Folders of the home that stay on the desktop's own disk and go with it; see `excludedPathSchema`. At most 200. */
  readonly excludedPaths: readonly string[];
  /** Look through the whole file system, also when it says of itself that it is clean. Default false. */
  readonly force?: boolean;
}

const wishSchema = z.object({
  volumeId: volumeIdSchema,
  excludedPaths: z.array(excludedPathSchema).max(200),
  force: z.boolean().default(false),
});

/** The least that a guest needs with hardware virtualisation is less than this, which nobody notices. */
const LEAST_MS = 100;

/**
 * Has a desktop open a profile: the guest waits for the disk (some seconds), repairs its file system as far as that
 * loses nothing, grows it to the size of the disk, and mounts it as the person's home. A new profile gets what the image
 * gives every new home. What is started from then on is at home there; what ran before must not belong to the person.
 * Called again for the profile that is open it says so and changes nothing but the excluded paths that were new.
 * @param options.timeoutMs default 60,000
 * @throws MachineError `not-found` or `guest-unresponsive` as `runInGuest`; `failed` when the guest cannot be understood
 */
export async function openGuestProfile(
  driver: Pick<HypervisorDriver, 'runInGuest'>,
  machineId: string,
  wish: GuestProfileWish,
  options: GuestProfileOptions = {},
): Promise<GuestProfileOpening> {
  const { timeoutMs = 60_000, ...call } = options;
  const { volumeId, excludedPaths, force } = wishSchema.parse(wish);
  const input = [...(force ? ['force\n'] : []), ...excludedPaths.map((path) => `excluded\t${escapeField(path)}\n`)];
  const command = { args: ['open', volumeId], input: input.join(''), timeoutMs, leastMs: LEAST_MS };
  return parseOpening(await runProfileProgram(driver, machineId, command, call));
}
