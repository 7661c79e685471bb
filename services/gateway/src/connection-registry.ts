import type { TicketClaims, VncTarget } from '#libs/guacamole';

/** What the gateway needs of the sessions: `ConnectionService` of `#libs/sessions` is the real one. */
export interface ConnectionRegistry {
  /**
   * Makes a connection of a redeemed ticket.
   * @throws DomainError `ticket-refused` when the session has ended or has another desktop by now, or the person
   *   has signed out
   */
  open(
    claims: Pick<TicketClaims, 'sessionId' | 'desktopId' | 'username' | 'tokenHash'>,
  ): Promise<{ readonly connectionId: string; readonly target: VncTarget }>;
  /** The browser has been sent its first frame. */
  drawn(connectionId: string): Promise<void>;
  close(connectionId: string, reason: string): Promise<void>;
  /** @returns the ids of those connections that must be closed */
  heartbeat(connectionIds: readonly string[]): Promise<string[]>;
}
