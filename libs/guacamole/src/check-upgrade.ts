import { constantTimeEqual, DomainError, errors, hashToken } from '#libs/kernel';
import type { TicketClaims } from './ticket-store.js';

export interface UpgradeFacts {
  /** The Origin header; undefined when there is none. */
  readonly origin: string | undefined;
  /** Value of the sign-in cookie; undefined when there is none. */
  readonly sessionToken: string | undefined;
  /** Whether the operator's origin policy allows `origin`. */
  readonly originAllowed: boolean;
}

/**
 * Whether the one who presents a ticket is the one who was given it.
 * @throws DomainError origin-refused (another page than the one that asked) or ticket-refused (another person)
 */
export function checkUpgrade(claims: TicketClaims, facts: UpgradeFacts): void {
  const { origin, sessionToken, originAllowed } = facts;
  const sameOrigin = claims.origin === null ? origin === undefined || originAllowed : origin === claims.origin;
  if (!sameOrigin) throw new DomainError(errors.originRefused);
  if (sessionToken !== undefined && !constantTimeEqual(hashToken(sessionToken), claims.tokenHash)) {
    throw new DomainError(errors.ticketRefused);
  }
}
