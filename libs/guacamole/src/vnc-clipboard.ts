import { connect, type Socket } from 'node:net';
import {
  clipboardCaps,
  clipboardRequest,
  EXTENDED_CLIPBOARD,
  inflateText,
  readClipboardWord,
} from './extended-clipboard.js';
import { rfbHandshake } from './rfb-handshake.js';
import { rfbMessages, setEncodings } from './rfb-messages.js';
import { RfbError, RfbFeed, type RfbReading } from './rfb-reading.js';
import type { VncTarget } from './vnc-settings.js';

export interface VncClipboardOptions {
  /** From the start of the TCP connection until the display says that it speaks the extended clipboard; 10 s unless told. */
  readonly timeoutMs?: number;
  /** A longer text (in UTF-8) is left out; 256 KiB unless told. */
  readonly maxTextBytes?: number;
  /** Texts are asked for no more often than this; 200 ms unless told. The last of several copied in between is had. */
  readonly requestEveryMs?: number;
  /** The display will say what is copied. */
  onReady(): void;
  /** Something was copied in the desktop. */
  onText(text: string): void;
  /** Called once, after `close` too: nothing more will come. The error says nothing secret. */
  onEnd(error?: Error): void;
}

const TIMEOUT_MS = 10_000;
const REQUEST_EVERY_MS = 200;
const KiB = 1024;
/** What a text gains at worst when it does not compress, with room. */
const OVERHEAD_BYTES = 4 * KiB;

/** The longest text that is brought from a desktop, in UTF-8. */
export const MAX_COPIED_BYTES = 256 * KiB;

/**
 * Learns what is copied in a desktop through a viewer connection of its own, which never asks for a picture: QEMU tells
 * only viewers that speak the extended clipboard, and guacd's is not one. It has no part in the other direction.
 */
export class VncClipboard {
  private readonly socket: Socket;
  private readonly feed: RfbFeed;
  private readonly deadline: NodeJS.Timeout;
  private requestTimer: NodeJS.Timeout | undefined;
  private requestedAt = 0;
  private ready = false;
  private awaited = false;
  private ended = false;

  constructor(
    private readonly target: VncTarget,
    private readonly options: VncClipboardOptions,
  ) {
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.feed = new RfbFeed(this.read());
    this.deadline = setTimeout(() => this.end(new RfbError('no extended clipboard in time')), timeoutMs);
    this.socket = connect({ host: target.host, port: target.port, noDelay: true });
    this.socket.on('data', (chunk) => this.take(chunk));
    this.socket.on('error', (error) => this.end(error));
    this.socket.on('close', () => this.end(new RfbError('the display has closed the connection')));
  }

  /** Leaves the display. Safe to call again. */
  close(): void {
    this.end();
  }

  private take(chunk: Buffer): void {
    if (this.ended) return;
    try {
      this.feed.take(chunk);
    } catch (error) {
      this.end(error instanceof Error ? error : new RfbError('unreadable'));
    }
  }

  private *read(): RfbReading {
    const write = (bytes: Buffer): void => this.write(bytes);
    const bytesPerPixel = yield* rfbHandshake({ password: this.target.password, write });
    write(setEncodings(EXTENDED_CLIPBOARD));
    const maxBodyBytes = this.maxTextBytes + OVERHEAD_BYTES;
    yield* rfbMessages({ bytesPerPixel, maxBodyBytes, onClipboard: (body) => this.hear(body) });
  }

  private hear(body: Buffer): void {
    if (this.ended) return;
    const word = readClipboardWord(body);
    if (word.kind === 'caps') this.agree();
    else if (word.kind === 'notify' && word.text) this.requestSoon();
    else if (word.kind === 'provide' && this.awaited) {
      this.awaited = false;
      const text = inflateText(word.compressed, this.maxTextBytes);
      if (text) this.options.onText(text);
    }
  }

  private agree(): void {
    if (this.ready) return;
    this.ready = true;
    clearTimeout(this.deadline);
    this.write(clipboardCaps());
    this.options.onReady();
  }

  /** A guest may announce as fast as it can, e.g. with every letter that a selection grows by. */
  private requestSoon(): void {
    if (this.requestTimer || !this.ready) return;
    const dueAt = this.requestedAt + (this.options.requestEveryMs ?? REQUEST_EVERY_MS);
    this.requestTimer = setTimeout(
      () => {
        this.requestTimer = undefined;
        this.requestedAt = Date.now();
        this.awaited = true;
        this.write(clipboardRequest());
      },
      Math.max(0, dueAt - Date.now()),
    );
  }

  private write(bytes: Buffer): void {
    if (!this.ended) this.socket.write(bytes);
  }

  private get maxTextBytes(): number {
    return this.options.maxTextBytes ?? MAX_COPIED_BYTES;
  }

  private end(error?: Error): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.deadline);
    clearTimeout(this.requestTimer);
    this.socket.destroy();
    this.options.onEnd(error);
  }
}
