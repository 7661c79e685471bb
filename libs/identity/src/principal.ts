import type { ApiSession } from './api-session.entity.js';

/** Who makes a request. */
export interface Principal {
  /** As the directory spells it. */
  readonly username: string;
  readonly displayName: string;
  /** Names of the person's groups, sorted. */
  readonly roles: readonly string[];
  /** SHA-256 of the token, hex: names the API session in tickets and bus messages. */
  readonly tokenHash: string;
  /** Member of the admin role (`GOLDLEAF_ADMIN_ROLE`). */
  readonly isAdmin: boolean;
}

export const toPrincipal = (
  session: Pick<ApiSession, 'username' | 'displayName' | 'roles' | 'tokenHash'>,
  adminRole: string,
): Principal => ({
  username: session.username,
  displayName: session.displayName,
  roles: session.roles,
  tokenHash: session.tokenHash,
  isAdmin: session.roles.includes(adminRole),
});
