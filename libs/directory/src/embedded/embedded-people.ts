/** A person of the embedded directory. */
export interface EmbeddedUser {
  readonly username: string;
  readonly displayName: string;
  readonly password: string;
}

/** A group of the embedded directory. */
export interface EmbeddedGroup {
  readonly name: string;
  /** How members are written down. Default `names`; `posix` knows users only. */
  readonly kind?: 'names' | 'uniqueNames' | 'posix';
  /** User names. */
  readonly users: readonly string[];
  /** Names of groups whose members are in this group too. */
  readonly groups?: readonly string[];
}

const demoUser = (username: string, displayName: string): EmbeddedUser => ({
  username,
  displayName,
  password: `${username}-demo`,
});

/** The demo accounts of `npm start`; passwords are public. */
export const demoUsers: readonly EmbeddedUser[] = [
  demoUser('alice', 'Alice Archer'),
  demoUser('bob', 'Bob Baker'),
  demoUser('carol', 'Carol Carter'),
  demoUser('ivan', 'Ivan Ivory'),
];

export const demoGroups: readonly EmbeddedGroup[] = [
  { name: 'call-center', users: ['alice', 'bob'] },
  { name: 'back-office', users: ['carol'] },
  { name: 'it-admins', users: ['ivan'] },
];
