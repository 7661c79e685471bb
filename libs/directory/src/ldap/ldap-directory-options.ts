/** What `LdapDirectory` must be told. Only the first group has no defaults. */
export interface LdapDirectoryOptions {
  /** `ldap://host[:port]` or `ldaps://host[:port]`, in order of preference. */
  readonly urls: readonly string[];
  /** Where people are searched. */
  readonly userBaseDn: string;
  /** Where groups are searched; groups elsewhere give no roles. */
  readonly groupBaseDn: string;

  /** Service account; without it searches are anonymous. */
  readonly bindDn?: string;
  readonly bindPassword?: string;

  /** Names the person: `uid` (default), on Active Directory `sAMAccountName`. */
  readonly userAttribute?: string;
  /** Default `cn`; on Active Directory `displayName`. */
  readonly displayNameAttribute?: string;
  /** Only entries of this object class are people, e.g. `inetOrgPerson`. Default: any. */
  readonly userObjectClass?: string;
  /** Default `cn`. */
  readonly groupNameAttribute?: string;
  /** Follow nested groups by search (default) or let Active Directory do it (`LDAP_MATCHING_RULE_IN_CHAIN`). */
  readonly nestedGroups?: 'walk' | 'in-chain';

  /** Secure `ldap://` connections by StartTLS before anything else is sent. Default false. */
  readonly startTls?: boolean;
  /** PEM text of the authorities to trust instead of the system's. */
  readonly caPem?: string;

  /** How long a server may take for one answer. Default 5,000. A whole call takes at most three times as long. */
  readonly timeoutMs?: number;
  /** How long connecting, securing and binding the service account may take. Default 2,000, never above timeoutMs. */
  readonly connectTimeoutMs?: number;
  /** How long a server that failed is tried last. Default 15,000. */
  readonly retryAfterMs?: number;
}
