import { readFile } from 'node:fs/promises';
import type { LdapConfig } from '#libs/config';
import { LdapDirectory } from '#libs/directory';
import type { Logger } from '#libs/telemetry';

/** The directory that the configuration names. @throws Error when LDAP_CA_FILE, checked at start, has gone since */
export async function ldapDirectoryOf(config: LdapConfig, logger: Logger): Promise<LdapDirectory> {
  const { bindDn, bindPassword, caFile, ...rest } = config;
  const caPem = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
  return new LdapDirectory(
    {
      ...rest,
      ...(bindDn === undefined ? {} : { bindDn }),
      ...(bindPassword === undefined ? {} : { bindPassword: bindPassword.reveal() }),
      ...(caPem === undefined ? {} : { caPem }),
    },
    logger,
  );
}
