import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { MachineError } from '../machine-error.js';

const execFileAsync = promisify(execFile);

/** The unprivileged user that QEMU runs as. Where KVM is used, the group should be the one of /dev/kvm. */
export interface MachineUser {
  readonly uid: number;
  readonly gid: number;
}

/** Asks the system itself, as that user: modes, access lists and parents all count. */
export async function userCan(
  user: MachineUser | undefined,
  what: 'read' | 'write' | 'enter',
  path: string,
): Promise<boolean> {
  const flag = { read: '-r', write: '-w', enter: '-x' }[what];
  try {
    await execFileAsync('/usr/bin/test', [flag, path], { ...user, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

/** @throws MachineError `failed` that says what to change */
export async function requireReachable(user: MachineUser | undefined, dir: string): Promise<void> {
  if (await userCan(user, 'enter', dir)) return;
  throw new MachineError(
    'failed',
    `the user that machines run as (uid ${user?.uid ?? process.getuid?.()}) cannot reach ${dir}: ` +
      'give each folder on the way the permission to be entered (chmod o+x), or move GOLDLEAF_STATE_DIR elsewhere',
  );
}
