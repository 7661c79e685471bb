import type { Redis } from 'ioredis';
import { z } from 'zod';
import { idSchema } from '#libs/contracts';
import { type Clock, hashToken, newToken, SecretBox, systemClock } from '#libs/kernel';

/** What a ticket stands for. */
export const ticketClaimsSchema = z.object({
  sessionId: idSchema,
  desktopId: idSchema,
  username: z.string(),
  /** SHA-256 (hex) of the API token that asked for the ticket. */
  tokenHash: z.string(),
  /** Origin of the page that asked; null for a client that is no browser. */
  origin: z.string().nullable(),
});
export type TicketClaims = z.infer<typeof ticketClaimsSchema>;

const TICKET_LIFETIME_MS = 30_000;
const TICKET_FORM = /^[A-Za-z0-9_-]{43}$/;
const PURPOSE = 'goldleaf tunnel ticket';
const keyOf = (ticket: string): string => `goldleaf:ticket:${hashToken(ticket)}`;

/**
 * Short-lived tickets of one use that carry a signed-in person from the broker to a gateway. Redis holds only the hash
 * of a ticket and claims sealed with the ticket itself, so whoever reads Redis can neither use nor read them.
 */
export class TicketStore {
  constructor(
    private readonly redis: Pick<Redis, 'set' | 'getdel'>,
    private readonly clock: Clock = systemClock,
    private readonly lifetimeMs: number = TICKET_LIFETIME_MS,
  ) {}

  /** @throws the Redis client's error when Redis does not answer */
  async mint(claims: TicketClaims): Promise<{ ticket: string; expiresAt: Date }> {
    const ticket = newToken();
    const expiresAt = new Date(this.clock.now().getTime() + this.lifetimeMs);
    const sealed = new SecretBox(ticket, PURPOSE).seal(JSON.stringify(ticketClaimsSchema.parse(claims)));
    await this.redis.set(keyOf(ticket), sealed, 'PX', this.lifetimeMs);
    return { ticket, expiresAt };
  }

  /**
   * Uses the ticket up, whatever is decided afterwards.
   * @returns undefined when there is no such ticket: never minted, used before, expired
   * @throws the Redis client's error when Redis does not answer
   */
  async redeem(ticket: string): Promise<TicketClaims | undefined> {
    if (!TICKET_FORM.test(ticket)) return undefined;
    const sealed = await this.redis.getdel(keyOf(ticket));
    if (sealed === null) return undefined;
    try {
      return ticketClaimsSchema.parse(JSON.parse(new SecretBox(ticket, PURPOSE).open(sealed)));
    } catch {
      return undefined;
    }
  }
}
