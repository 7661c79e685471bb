/** A person as the directory knows them. */
export interface DirectoryUser {
  /** As the directory spells it, not as it was typed. */
  readonly username: string;
  readonly displayName: string;
  readonly dn: string;
  /** Names of all groups the person is in, nested ones too, sorted; these are the roles. */
  readonly groups: readonly string[];
}

/** Where people and their groups come from. Every implementation passes `describeDirectoryProvider`. */
export interface DirectoryProvider {
  /**
   * Checks a password by search, then bind.
   * @returns undefined when the name is unknown or the password wrong (which of the two is never told), and always
   *   for an empty name or password, before anything is sent
   * @throws DomainError `directory-unavailable` when no server answers in time
   */
  authenticate(username: string, password: string): Promise<DirectoryUser | undefined>;

  /** Looks a person up without a password. @throws DomainError `directory-unavailable` */
  find(username: string): Promise<DirectoryUser | undefined>;

  /** @throws DomainError `directory-unavailable` when no server answers: for readiness. */
  check(): Promise<void>;

  close(): Promise<void>;
}
