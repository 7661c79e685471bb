import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { type BusMessage, busMessageSchema } from '#libs/contracts';

const CHANNEL = 'goldleaf:messages';

/** What those who only tell need of the bus. */
export type BusSink = Pick<MessageBus, 'publish'>;

/** Tells all services what has changed. At most once: a message may be lost, so rows are the truth, not messages. */
export class MessageBus {
  private readonly listeners = new Set<(message: BusMessage) => void>();
  private subscribed: Promise<unknown> | undefined;

  constructor(
    private readonly publisher: Redis,
    private readonly subscriber: Redis,
    private readonly logger: Logger,
  ) {
    subscriber.on('message', (_channel: string, text: string) => this.deliver(text));
  }

  /** Never rejects: a message that cannot be sent is logged and dropped. */
  async publish(message: BusMessage): Promise<void> {
    try {
      await this.publisher.publish(CHANNEL, JSON.stringify(message));
    } catch (error) {
      this.logger.warn({ type: message.type, err: error }, 'bus message was not sent');
    }
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: (message: BusMessage) => void): () => void {
    this.listeners.add(listener);
    // ioredis subscribes again by itself after a reconnect.
    this.subscribed ??= this.subscriber.subscribe(CHANNEL).catch((error: unknown) => {
      this.subscribed = undefined;
      this.logger.warn({ err: error }, 'bus subscription failed; trying again');
      const retry = setTimeout(() => this.listeners.size > 0 && this.subscribe(listener), 500);
      retry.unref();
    });
    return () => void this.listeners.delete(listener);
  }

  /** Resolves when messages are being received: for tests and readiness. */
  async ready(): Promise<void> {
    await this.subscribed;
  }

  private deliver(text: string): void {
    const parsed = busMessageSchema.safeParse(parseJson(text));
    if (!parsed.success) {
      this.logger.warn('bus message of an unknown form was ignored');
      return;
    }
    for (const listener of this.listeners) {
      try {
        listener(parsed.data);
      } catch (error) {
        this.logger.error({ err: error, type: parsed.data.type }, 'a bus listener failed');
      }
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
