import { readFileSync } from 'node:fs';
import type { MachineUser } from '#libs/hypervisor';

/** One line of /etc/passwd or /etc/group, name first, then a password field, then the number. */
const entry = (file: string, name: string): string[] | undefined =>
  readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => fields[0] === name);

/**
 * Whom machines run as when this process is root: an unprivileged system account. With the group of /dev/kvm, as
 * dropping to a user gives up that user's other groups.
 * @returns undefined when this process is not root: machines then run as it does
 * @throws Error when the account does not exist
 */
export function findMachineUser(username: string): MachineUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const account = entry('/etc/passwd', username);
  if (!account) throw new Error(`the system account ${username} does not exist: make it, or start with npm start`);
  const kvm = entry('/etc/group', 'kvm');
  return { uid: Number(account[2]), gid: Number(kvm?.[2] ?? account[3]) };
}
