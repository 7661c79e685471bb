import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { TunnelCloseReason } from '#libs/contracts';
import { readBrowserMessage } from './browser-input.js';
import { DesktopStream } from './desktop-stream.js';
import { encodeInstruction, type LengthUnit } from './instruction.js';
import { GuacamoleProtocolError } from './protocol-error.js';
import { RelayClipboard } from './relay-clipboard.js';
import { defaultRelayLimits, type RelayLimits } from './relay-limits.js';
import { RelayWatch } from './relay-watch.js';
import { closeFrameReason, errorMessage, reasonOfGuacdStatus, type TunnelClose, tunnelClose } from './tunnel-close.js';

export interface RelayOptions {
  /** The name of the tunnel that the browser is told. Not guacd's, with which one could join the connection. */
  readonly tunnelId: string;
  /** Bytes of guacd that came with `ready`. */
  readonly leftover?: Buffer;
  /** What the browser counts in element lengths; code points unless told. */
  readonly lengthUnit?: LengthUnit;
  readonly limits?: Partial<RelayLimits>;
  /** The display has drawn its first frame. */
  readonly onFirstFrame?: () => void;
}

const GUACD_GOODBYE = '10.disconnect;';
const GUACD_GOODBYE_TIMEOUT_MS = 1_000;

/**
 * Carries a Guacamole stream between a browser's websocket and guacd: whole instructions only, no more in memory than
 * the limits say, and an end with a reason when either side dies. It never logs and never keeps what it carries.
 */
export class Relay {
  /** Resolves, never rejects, when the tunnel has been closed by whichever side. */
  readonly closed: Promise<TunnelClose>;
  bytesToBrowser = 0;
  bytesToGuacd = 0;
  /** Instructions of the browser that were left out. */
  denied = 0;

  private readonly limits: RelayLimits;
  private readonly lengthUnit: LengthUnit;
  private readonly stream: DesktopStream;
  private readonly clipboard: RelayClipboard;
  private readonly watch: RelayWatch;
  private readonly timer: NodeJS.Timeout;
  private resolveClosed: (close: TunnelClose) => void = () => undefined;
  private ending = false;
  private desktopPaused = false;
  private browserPaused = false;
  private drew = false;
  private lastLook = Date.now();

  constructor(
    private readonly browser: WebSocket,
    private readonly guacd: Socket,
    private readonly options: RelayOptions,
  ) {
    this.limits = { ...defaultRelayLimits, ...options.limits };
    this.lengthUnit = options.lengthUnit ?? 'code-points';
    this.stream = new DesktopStream(this.limits.maxInstructionBytes, this.lengthUnit);
    this.clipboard = new RelayClipboard(this.lengthUnit);
    this.watch = new RelayWatch(this.limits);
    this.closed = new Promise((resolve) => {
      this.resolveClosed = resolve;
    });
    this.timer = setInterval(() => this.look(), this.limits.checkEveryMs);
    this.start();
  }

  /** Everything of this tunnel that is held in the process now. */
  get bufferedBytes(): number {
    const { browser, guacd, stream, clipboard } = this;
    const onTheWay = browser.bufferedAmount + guacd.readableLength + guacd.writableLength;
    return onTheWay + stream.pendingBytes + clipboard.waitingBytes;
  }

  /** Whether copied texts come by `copyToBrowser` from now on, and those of guacd are left out. */
  takeOverClipboard(takesOver: boolean): void {
    this.clipboard.takesOver = takesOver;
  }

  /** Gives the browser a text that was copied in the desktop, unless the browser sent it, as soon as there is room. */
  copyToBrowser(text: string): void {
    this.clipboard.offer(text);
    this.sendCopied();
  }

  /** Ends the tunnel: tells the browser why, says goodbye to guacd. Safe to call again. */
  close(reason: TunnelCloseReason): void {
    if (this.ending) return;
    this.ending = true;
    clearInterval(this.timer);
    const close = tunnelClose(reason);
    this.closeGuacd();
    closeBrowser(this.browser, close, this.limits.closeTimeoutMs);
    this.resolveClosed(close);
  }

  private start(): void {
    const { browser, guacd } = this;
    browser.on('message', (data: Buffer, isBinary: boolean) => this.fromBrowser(data, isBinary));
    browser.on('ping', (data: Buffer) => this.pong(data));
    browser.on('pong', () => this.watch.heardBrowser());
    browser.on('error', () => this.close('browser-protocol'));
    browser.on('close', () => this.close('closed-by-browser'));
    guacd.on('data', (chunk: Buffer) => this.fromDesktop(chunk));
    guacd.on('drain', () => this.readBrowser());
    guacd.on('error', () => this.close('desktop-closed'));
    guacd.on('close', () => this.close('desktop-closed'));
    if (browser.readyState !== browser.OPEN) this.close('closed-by-browser');
    else if (guacd.destroyed) this.close('desktop-closed');
    else this.begin();
  }

  private begin(): void {
    const { browser, guacd, options } = this;
    this.sendToBrowser(encodeInstruction(['', options.tunnelId]));
    if (options.leftover?.length) this.fromDesktop(options.leftover);
    if (!this.desktopPaused) guacd.resume();
    browser.resume();
  }

  private fromDesktop(chunk: Buffer): void {
    if (this.ending) return;
    this.watch.heardDesktop();
    try {
      const batch = this.withoutCopies(this.stream.take(chunk));
      if (batch.length > 0) this.sendToBrowser(batch);
      this.afterBatch();
    } catch (error) {
      this.close(error instanceof GuacamoleProtocolError ? 'desktop-protocol' : 'gateway-error');
    }
  }

  private afterBatch(): void {
    if (!this.drew && this.stream.syncs > 0) {
      this.drew = true;
      this.options.onFirstFrame?.();
    }
    if (this.stream.ended) {
      const status = this.stream.errorStatus();
      this.close(status === undefined ? 'desktop-closed' : reasonOfGuacdStatus(status));
    } else if (this.browser.bufferedAmount > this.limits.pauseAboveBytes) {
      this.desktopPaused = true;
      this.guacd.pause();
    }
  }

  private withoutCopies(batch: Buffer): Buffer {
    return batch.length === 0 ? batch : this.clipboard.filter(batch, this.stream.clipboards);
  }

  private sendCopied(): void {
    if (this.ending || this.browser.bufferedAmount > this.limits.resumeBelowBytes) return;
    const copied = this.clipboard.take();
    if (copied !== '') this.sendToBrowser(copied);
  }

  private sendToBrowser(data: Buffer | string): void {
    this.bytesToBrowser += data.length;
    this.browser.send(data, { binary: false, compress: false }, this.sent);
  }

  private readonly sent = (): void => {
    this.sendCopied();
    if (!this.desktopPaused || this.ending || this.browser.bufferedAmount > this.limits.resumeBelowBytes) return;
    this.desktopPaused = false;
    this.guacd.resume();
  };

  private fromBrowser(data: Buffer, isBinary: boolean): void {
    if (this.ending) return;
    this.watch.heardBrowser();
    try {
      if (isBinary) throw new GuacamoleProtocolError('binary message');
      const input = readBrowserMessage(data.toString('utf8'), this.lengthUnit, this.clipboard);
      this.denied += input.denied;
      // A browser that asks but does not read gets no answers: they would pile up.
      if (input.toBrowser !== '' && !this.desktopPaused && this.hasRoom()) this.sendToBrowser(input.toBrowser);
      if (input.toGuacd !== '') this.sendToGuacd(input.toGuacd);
      if (input.disconnect) this.close('closed-by-browser');
    } catch (error) {
      this.close(error instanceof GuacamoleProtocolError ? 'browser-protocol' : 'gateway-error');
    }
  }

  private sendToGuacd(instructions: string): void {
    this.bytesToGuacd += instructions.length;
    if (this.guacd.write(instructions) || this.browserPaused) return;
    this.browserPaused = true;
    this.browser.pause();
  }

  private readBrowser(): void {
    if (!this.browserPaused) return;
    this.browserPaused = false;
    this.browser.resume();
  }

  private pong(data: Buffer): void {
    this.watch.heardBrowser();
    if (!this.ending && this.hasRoom()) this.browser.pong(data);
  }

  private hasRoom(): boolean {
    return this.browser.bufferedAmount <= this.limits.pauseAboveBytes;
  }

  private look(): void {
    const now = Date.now();
    const { desktopPaused, browserPaused } = this;
    const sight = { syncs: this.stream.syncs, waitingBytes: this.browser.bufferedAmount, desktopPaused, browserPaused };
    const verdict = this.watch.look(sight, now - this.lastLook);
    this.lastLook = now;
    if (verdict === 'ping') this.browser.ping();
    else if (verdict !== undefined) this.close(verdict);
  }

  private closeGuacd(): void {
    const { guacd } = this;
    if (guacd.destroyed) return;
    const deadline = setTimeout(() => guacd.destroy(), GUACD_GOODBYE_TIMEOUT_MS);
    guacd.once('close', () => clearTimeout(deadline));
    // Without it guacd keeps the display connected for another 15 s.
    guacd.end(GUACD_GOODBYE);
    guacd.resume();
  }
}

/** Tells the browser why (error instruction, close code, close reason) and closes; destroys the socket if it must. */
export function closeBrowser(browser: WebSocket, close: TunnelClose, timeoutMs: number): void {
  if (browser.readyState === browser.CLOSED) return;
  const deadline = setTimeout(() => browser.terminate(), timeoutMs);
  browser.once('close', () => clearTimeout(deadline));
  if (browser.readyState === browser.OPEN && close.status !== 0) {
    browser.send(encodeInstruction(['error', errorMessage(close), String(close.status)]));
  }
  browser.close(close.webSocketCode, closeFrameReason(close));
  browser.resume();
}
