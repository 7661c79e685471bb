import { type EventMessage, eventMessageSchema } from '#libs/contracts';
import { backOffMs } from './back-off.js';

export interface EventsHandlers {
  onMessage(message: EventMessage): void;
  /** `true` once the broker has greeted us, `false` when the socket is gone: poll meanwhile. */
  onOnlineChange(online: boolean): void;
}

const backOff = { firstMs: 500, maxMs: 15_000, jitter: 0.4 };

/** The events websocket, kept open until `stop`. Messages that the contract does not know are ignored. */
export class EventsClient {
  private socket: WebSocket | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | null = null;
  private attempt = 0;
  private online = false;
  private running = false;

  constructor(
    private readonly handlers: EventsHandlers,
    private readonly path = '/api/v1/events',
  ) {}

  start(): void {
    if (this.running) return;
    this.running = true;
    this.attempt = 0;
    window.addEventListener('online', this.retryNow);
    this.open();
  }

  stop(): void {
    this.running = false;
    window.removeEventListener('online', this.retryNow);
    if (this.retryTimer !== null) clearTimeout(this.retryTimer);
    this.retryTimer = null;
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.setOnline(false);
  }

  private open(): void {
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(`${scheme}//${location.host}${this.path}`);
    this.socket = socket;
    socket.onmessage = (event) => {
      if (this.socket === socket) this.receive(event.data);
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.setOnline(false);
      this.retryTimer = setTimeout(() => this.open(), backOffMs(this.attempt++, backOff));
    };
  }

  private receive(data: unknown): void {
    const parsed = eventMessageSchema.safeParse(parseJson(data));
    if (!parsed.success) return;
    this.attempt = 0;
    this.setOnline(true);
    this.handlers.onMessage(parsed.data);
  }

  private readonly retryNow = (): void => {
    if (!this.running || this.socket !== null) return;
    if (this.retryTimer !== null) clearTimeout(this.retryTimer);
    this.open();
  };

  private setOnline(online: boolean): void {
    if (online === this.online) return;
    this.online = online;
    this.handlers.onOnlineChange(online);
  }
}

function parseJson(data: unknown): unknown {
  try {
    return typeof data === 'string' ? JSON.parse(data) : null;
  } catch {
    return null;
  }
}
