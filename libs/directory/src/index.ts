export type { DirectoryProvider, DirectoryUser } from './directory-provider.js';
export {
  EmbeddedDirectory,
  type EmbeddedDirectoryOptions,
  embeddedServiceDn,
  startEmbeddedDirectory,
} from './embedded/embedded-directory.js';
export { embeddedGroupBaseDn, embeddedUserBaseDn } from './embedded/embedded-entries.js';
export { demoGroups, demoUsers, type EmbeddedGroup, type EmbeddedUser } from './embedded/embedded-people.js';
export { LdapDirectory } from './ldap/ldap-directory.js';
export type { LdapDirectoryOptions } from './ldap/ldap-directory-options.js';
export { canonicalUsername } from './username.js';
