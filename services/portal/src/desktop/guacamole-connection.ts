import type * as GuacamoleTypes from 'guacamole-common-js';
import Guacamole from 'guacamole-common-js';
import type { DisplaySize, TicketView } from '#libs/contracts';
import type { DisplayFit } from './display-size.js';
import { isBlank } from './is-blank.js';
import { forwardPointer } from './pointer-input.js';
import { readText, writeText } from './text-stream.js';
import { type TunnelEnd, tunnelEndOf } from './tunnel-end.js';

export interface ConnectionHandlers {
  /** The first whole picture is on the display. */
  onDrawn(): void;
  /** The guest has this size now, in its own pixels. */
  onResize(size: DisplaySize): void;
  onClipboard(text: string): void;
  /** `true` while nothing has arrived for a while although the tunnel is open. */
  onUnstableChange(unstable: boolean): void;
  /** Once, whatever ended it, `disconnect` excepted. */
  onEnd(end: TunnelEnd): void;
}

const firstPictureTimeoutMs = 15_000;
const blankAcceptedAfterMs = 1_500;
/** guacd takes 256 KiB of clipboard at most; in UTF-8 a character is up to three bytes of that. */
export const clipboardMaxCharacters = 80_000;

/** One tunnel and the picture it draws. Made for one ticket; never used again after its end. */
export class GuacamoleConnection {
  /** Holds the display; the surface decides where it is. */
  readonly element = document.createElement('div');
  private readonly client: GuacamoleTypes.Client;
  private readonly tunnel: GuacamoleTypes.Tunnel;
  private readonly drawnTimer: ReturnType<typeof setTimeout>;
  private blankTimer: ReturnType<typeof setTimeout> | null = null;
  private lastStatus: GuacamoleTypes.Status | null = null;
  private drawn = false;
  private over = false;

  constructor(
    ticket: TicketView,
    private readonly handlers: ConnectionHandlers,
  ) {
    this.tunnel = new Guacamole.WebSocketTunnel(ticket.tunnelUrl.replace(/^http/, 'ws'));
    this.client = new Guacamole.Client(this.tunnel);
    this.element.appendChild(this.client.getDisplay().getElement());
    this.wire();
    this.drawnTimer = setTimeout(() => this.end('silent'), firstPictureTimeoutMs);
    // guacamole-common-js 1.5 counts the characters of an instruction as JavaScript does.
    this.client.connect(`ticket=${encodeURIComponent(ticket.ticket)}&lengths=utf-16`);
  }

  get size(): DisplaySize {
    const display = this.client.getDisplay();
    return { width: display.getWidth(), height: display.getHeight() };
  }

  sendKey(pressed: boolean, keysym: number): void {
    this.client.sendKeyEvent(pressed ? 1 : 0, keysym);
  }

  sendClipboard(text: string): void {
    writeText(this.client.createClipboardStream('text/plain'), text);
  }

  place(fit: DisplayFit): void {
    this.client.getDisplay().scale(fit.scale);
    this.element.style.left = `${fit.left}px`;
    this.element.style.top = `${fit.top}px`;
  }

  /** Says goodbye to guacd and closes; no handler is called any more. The last picture stays in `element`. */
  disconnect(): void {
    this.over = true;
    clearTimeout(this.drawnTimer);
    if (this.blankTimer !== null) clearTimeout(this.blankTimer);
    this.client.disconnect();
    this.tunnel.disconnect();
  }

  private wire(): void {
    const display = this.client.getDisplay();
    display.onresize = (width, height) => this.handlers.onResize({ width, height });
    this.tunnel.onerror = (status) => {
      this.lastStatus ??= status;
    };
    this.client.onerror = (status) => {
      this.lastStatus = status;
    };
    this.tunnel.onstatechange = (state) => {
      if (this.over) return;
      this.handlers.onUnstableChange(state === Guacamole.Tunnel.State.UNSTABLE);
      if (state === Guacamole.Tunnel.State.CLOSED) this.end(tunnelEndOf(this.lastStatus));
    };
    this.client.onsync = () => {
      if (this.drawn) return;
      // Drawing is asynchronous: even the size is known only when what came before this sync has been drawn.
      display.flush(() => {
        if (this.drawn || this.over || display.getWidth() === 0) return;
        // guacd's first sync can come before the desktop's picture. A desktop that is black is shown all the same.
        if (isBlank(display)) this.blankTimer ??= setTimeout(() => this.markDrawn(), blankAcceptedAfterMs);
        else this.markDrawn();
      });
    };
    this.client.onclipboard = (stream, mimetype) => {
      if (/^text\//.test(mimetype)) readText(stream, (text) => this.handlers.onClipboard(text));
    };
    forwardPointer(this.client);
  }

  private markDrawn(): void {
    if (this.drawn || this.over) return;
    this.drawn = true;
    clearTimeout(this.drawnTimer);
    if (this.blankTimer !== null) clearTimeout(this.blankTimer);
    this.handlers.onDrawn();
  }

  private end(end: TunnelEnd): void {
    if (this.over) return;
    this.disconnect();
    this.handlers.onEnd(end);
  }
}
