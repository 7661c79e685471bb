import { type Clock, systemClock } from '#libs/kernel';
import type { LdapServer } from './ldap-connection.js';

/** Reads the URLs of the servers. @throws TypeError naming what is wrong, never the URL */
export function parseServers(urls: readonly string[], startTls: boolean, caPem: string | undefined): LdapServer[] {
  if (urls.length === 0) throw new TypeError('no LDAP URL given');
  return urls.map((text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url?.hostname || !['ldap:', 'ldaps:'].includes(url.protocol) || url.username || url.password) {
      throw new TypeError('an LDAP URL must look like ldap://host:port or ldaps://host:port');
    }
    const isLdaps = url.protocol === 'ldaps:';
    return {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port) || (isLdaps ? 636 : 389),
      security: isLdaps ? 'ldaps' : startTls ? 'starttls' : 'none',
      ...(caPem !== undefined && { caPem }),
    };
  });
}

/** Remembers which servers failed of late, so that a dead one costs its time-out once, not at every call. */
export class LdapServers {
  private readonly failedAt = new Map<LdapServer, number>();

  constructor(
    private readonly servers: readonly LdapServer[],
    private readonly retryAfterMs: number,
    private readonly clock: Clock = systemClock,
  ) {}

  get count(): number {
    return this.servers.length;
  }

  /** All servers, best first: those that work in the order given, then the failed ones, longest ago first. */
  inOrder(): LdapServer[] {
    const dueBefore = this.clock.now().getTime() - this.retryAfterMs;
    const rank = (server: LdapServer): number => {
      const failedAt = this.failedAt.get(server) ?? 0;
      return failedAt > dueBefore ? failedAt : 0;
    };
    return [...this.servers].sort((a, b) => rank(a) - rank(b));
  }

  failed(server: LdapServer): void {
    this.failedAt.set(server, this.clock.now().getTime());
  }

  works(server: LdapServer): void {
    this.failedAt.delete(server);
  }
}
