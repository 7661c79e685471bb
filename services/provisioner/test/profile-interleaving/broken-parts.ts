import type { HypervisorDriver } from '#libs/hypervisor';
import { LeaseError, type ProfileLeases } from '#libs/profiles';
import { VolumeError } from '#libs/volumes';
import type { ProfileWriter } from '../../src/profiles/profile-writer.js';
import { through } from './gate.js';
import type { Breakage } from './surroundings.js';

/** The writer with another `save`. */
const savingBy = (
  writer: ProfileWriter,
  save: (args: Parameters<ProfileWriter['save']>, whole: () => ReturnType<ProfileWriter['save']>) => Promise<unknown>,
): ProfileWriter =>
  through(writer, ['save'], (_, args, whole) =>
    save(args as Parameters<ProfileWriter['save']>, whole as () => ReturnType<ProfileWriter['save']>),
  );

const nothingAt = (isSuch: (error: unknown) => boolean) => (error: unknown) => {
  if (isSuch(error)) return null;
  throw error;
};
const isRefused = (error: unknown) => LeaseError.is(error, 'lost');
/** Of the disk of a desktop that is given up, or within a version that was saved while it was used. */
const notKept = /, of which .* is kept|, and what was to be erased is kept| and had committed /;

/** Parts that break a rule, and what the interleavings must say of each. */
export const brokenParts: Readonly<Record<string, { readonly breakage: Breakage; readonly found: RegExp }>> = {
  'gives the lease back before the last save': {
    breakage: {
      writer: (writer, leases: ProfileLeases) =>
        savingBy(writer, async ([, { id }, fence, { mountPoint }], whole) => {
          if (mountPoint === undefined) await leases.release(id, fence);
          return whole();
        }),
    },
    found: notKept,
  },
  'takes work for saved that the store did not take': {
    breakage: {
      writer: (writer) =>
        savingBy(writer, (_, whole) => whole().catch(nothingAt((error) => VolumeError.is(error, 'store-unavailable')))),
    },
    found: notKept,
  },
  'forgets what a view showed that was not saved': {
    breakage: {
      driver: (driver) =>
        through<HypervisorDriver>(driver, ['viewVolume', 'closeView'], (name, args, whole) => {
          if (name !== 'closeView') return whole();
          const [machineId, volumeId, viewId] = args as Parameters<HypervisorDriver['closeView']>;
          return driver.closeView(machineId, volumeId, viewId, 'confirmed');
        }),
    },
    found: notKept,
  },
  'takes a fence that was raised for the loss of its lease': {
    breakage: { writer: (writer) => savingBy(writer, (_, whole) => whole().catch(nothingAt(isRefused))) },
    found: notKept,
  },
};
