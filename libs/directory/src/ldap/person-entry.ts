import type { LdapEntry } from './ldap-codec.js';

const attributesThatDisable = ['userAccountControl', 'nsAccountLock', 'loginDisabled', 'pwdAccountLockedTime'] as const;

/** Attributes to ask for of a person, besides names. */
export const personAttributes: readonly string[] = ['memberOf', ...attributesThatDisable];

export const valuesOf = (entry: LdapEntry, attribute: string): readonly string[] =>
  entry.attributes.get(attribute.toLowerCase()) ?? [];

/**
 * Whether IT has switched the account off: Active Directory (userAccountControl bit 2), 389 and FreeIPA
 * (nsAccountLock), eDirectory (loginDisabled), OpenLDAP's password policy (locked by hand, "for ever").
 */
export function isDisabled(entry: LdapEntry): boolean {
  const first = (attribute: (typeof attributesThatDisable)[number]): string => valuesOf(entry, attribute)[0] ?? '';
  return (
    (Number(first('userAccountControl')) & 2) !== 0 ||
    first('nsAccountLock').toLowerCase() === 'true' ||
    first('loginDisabled').toLowerCase() === 'true' ||
    first('pwdAccountLockedTime') === '000001010000Z'
  );
}
