import { readFileSync } from 'node:fs';

/** The system user that embedded servers run as. */
export interface ProcessOwner {
  readonly username: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Whom embedded servers should run as: the first existing user of `usernames` when we are root (PostgreSQL refuses to
 * run as root, and guacd parses what desktops send), otherwise ourselves.
 * @returns undefined when the server simply runs as the present user.
 * @throws Error when we are root and none of the users exists.
 */
export function processOwner(usernames: readonly string[] = ['goldleaf', 'nobody']): ProcessOwner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const username of usernames) {
    const user = users.find(([name]) => name === username);
    if (user) return { username, uid: Number(user[2]), gid: Number(user[3]) };
  }
  throw new Error(`none of these system users exists: ${usernames.join(', ')}`);
}
