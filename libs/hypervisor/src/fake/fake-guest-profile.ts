import { escapeField, unescapeField } from '../guest-apps/sync-input.js';
import { guestPaths } from '../guest-contract.js';
import type { FileSystemUsage, GuestCommand, GuestResult } from '../hypervisor-driver.js';

/** What a fake guest does with its profile. */
export interface FakeGuestProfile {
  /** The volume that is mounted as the home. */
  open?: { readonly volumeId: string; readonly excludedPaths: readonly string[] };
  /** As the guest tells it the next time. */
  totalBytes: number;
  usedBytes: number;
  /** How often one was opened and closed. */
  opened: number;
  closed: number;
}

/** What is wrong: `damaged` or `failed` at `open`, `busy` when it is to be closed. */
export type FakeProfileFault = 'damaged' | 'failed' | 'busy';

export const newFakeGuestProfile = (): FakeGuestProfile => ({
  totalBytes: 1 << 30,
  usedBytes: 1 << 20,
  opened: 0,
  closed: 0,
});

export function fakeFileSystemUsage(profile: FakeGuestProfile, mountPoint: string): FileSystemUsage | null {
  const { open, usedBytes, totalBytes } = profile;
  return open && mountPoint === guestPaths.home ? { usedBytes, totalBytes } : null;
}

/** Answers the `profile` program as a real guest does, as far as its host can tell. */
export function runFakeGuestProfile(
  profile: FakeGuestProfile,
  has: (volumeId: string) => boolean,
  faultOf: (volumeId: string) => FakeProfileFault | undefined,
  { args, input }: GuestCommand,
): GuestResult {
  const [verb, volumeId = ''] = args;
  if (verb === 'open') return said(open(profile, has, faultOf, volumeId, input ?? ''));
  if (verb === 'close') return said(close(profile, faultOf));
  return { exitCode: 2, stdout: '', stderr: 'usage: profile open SERIAL | profile close' };
}

function open(
  profile: FakeGuestProfile,
  has: (volumeId: string) => boolean,
  faultOf: (volumeId: string) => FakeProfileFault | undefined,
  volumeId: string,
  input: string,
): string[] {
  if (profile.open && profile.open.volumeId !== volumeId) return ['failed', 'another profile is open'];
  if (!profile.open) {
    if (!has(volumeId)) return ['failed', `the machine has no disk ${volumeId}`];
    const fault = faultOf(volumeId);
    if (fault === 'damaged' || fault === 'failed') return [fault, `the fake profile is to be ${fault}`];
    const excludedPaths = input
      .split('\n')
      .map((line) => line.split('\t').map(unescapeField))
      .flatMap(([kind, path]) => (kind === 'excluded' && path !== undefined ? [path] : []));
    profile.open = { volumeId, excludedPaths };
    profile.opened += 1;
  }
  return ['opened', `${profile.totalBytes}`, `${profile.usedBytes}`, 'clean'];
}

function close(profile: FakeGuestProfile, faultOf: (volumeId: string) => FakeProfileFault | undefined): string[] {
  if (profile.open) {
    if (faultOf(profile.open.volumeId) === 'busy') return ['failed', 'the fake profile is to be busy'];
    profile.open = undefined;
    profile.closed += 1;
  }
  return ['closed', '0'];
}

const said = (fields: string[]): GuestResult => ({
  exitCode: 0,
  stdout: `${fields.map(escapeField).join('\t')}\ntook\ttotal\t0\n`,
  stderr: '',
});
