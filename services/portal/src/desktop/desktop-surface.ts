import type { SessionView } from '#libs/contracts';
import type { ApiClient } from '../api/api-client.js';
import { toApiError } from '../api/api-error.js';
import type { Portal } from '../state/portal.js';
import { ClipboardExchange } from './clipboard-exchange.js';
import { DesktopLink } from './desktop-link.js';
import { DisplayFollower } from './display-follower.js';
import { fitDisplay, wantedDisplaySize } from './display-size.js';
import { GuacamoleConnection } from './guacamole-connection.js';
import { KeyboardInput } from './keyboard-input.js';
import type { LinkState } from './link-state.js';
import { UsLayout } from './us-layout.js';

/** What the page shows about the desktop besides its picture. */
export interface SurfaceState {
  readonly link: LinkState;
  /** The tunnel is open but nothing has arrived for a while. */
  readonly unstable: boolean;
  /** A picture of the present desktop is on the screen, be it the last one before a loss. */
  readonly picture: boolean;
  /** What the guest copied last. */
  readonly guestText: string;
  /** The browser did not let us put `guestText` on the clipboard. */
  readonly clipboardBlocked: boolean;
}

const resizeSettledMs = 250;

/** The desktop in the window: picture, keyboard, pointer, clipboard and size, over whatever tunnel there is. */
export class DesktopSurface {
  private state: SurfaceState = {
    link: { kind: 'idle' },
    unstable: false,
    picture: false,
    guestText: '',
    clipboardBlocked: false,
  };
  private readonly listeners = new Set<() => void>();
  private readonly link: DesktopLink<GuacamoleConnection>;
  private readonly keyboard: KeyboardInput;
  private readonly clipboard = new ClipboardExchange((text) => this.link.connection?.sendClipboard(text));
  /** Whose picture is on the screen; after a loss it is over, but the picture stays. */
  private shown: GuacamoleConnection | null = null;
  private readonly follower: DisplayFollower;
  private resizeTimer: ReturnType<typeof setTimeout> | null = null;
  private sessionId: string | null = null;

  constructor(
    private readonly container: HTMLElement,
    sink: HTMLTextAreaElement,
    private readonly portal: Portal,
    api: ApiClient,
    onBarShortcut: () => void,
  ) {
    const layout = new UsLayout((pressed, keysym) => this.link.connection?.sendKey(pressed, keysym));
    this.keyboard = new KeyboardInput(sink, {
      onKey: (pressed, keysym) => layout.key(pressed, keysym),
      onPaste: (text) => this.offerClipboard(text),
      onBarShortcut,
    });
    this.link = new DesktopLink<GuacamoleConnection>({
      requestTicket: (sessionId) => api.createTicket(sessionId),
      openConnection: (ticket, handlers) => {
        const connection = new GuacamoleConnection(ticket, handlers);
        connection.element.classList.add('guest', 'guest-undrawn');
        container.appendChild(connection.element);
        return connection;
      },
      refreshSession: () => void portal.refreshSession(),
      signedOutBy: (error) => portal.signedOutBy(toApiError(error)),
      onChange: (link) => this.update({ link, unstable: false }),
      onDrawn: (connection) => this.show(connection),
      onResize: (connection) => connection.place(fitDisplay(connection.size, window)),
      onClipboard: (text) => void this.acceptClipboard(text),
      onUnstableChange: (unstable) => this.update({ unstable }),
      onDesktopGone: () => {
        this.removePictures(null);
        this.shown = null;
        this.update({ picture: false, guestText: '', clipboardBlocked: false });
      },
      nowMs: () => performance.now(),
    });
    this.follower = new DisplayFollower({
      size: () => (this.state.link.kind === 'connected' ? (this.link.connection?.size ?? null) : null),
      wanted: () => wantedDisplaySize(window),
      ask: async (size) => {
        if (this.sessionId) await api.setDisplay(this.sessionId, size);
      },
      renew: () => this.link.renew(),
    });
    this.listen('add');
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): SurfaceState => this.state;

  follow(session: SessionView | null): void {
    this.sessionId = session?.id ?? null;
    this.link.follow(session);
  }

  focus(): void {
    this.keyboard.focus();
  }

  retryNow(): void {
    this.link.retryNow();
  }

  takeOver(): void {
    this.link.takeOver();
  }

  /** Gives `text` to the guest's clipboard; says so where it is too long. */
  offerClipboard(text: string): void {
    if (!this.clipboard.offer(text))
      this.portal.say('error', 'That text is too long for the clipboard of the desktop.');
  }

  dispose(): void {
    this.listen('remove');
    if (this.resizeTimer !== null) clearTimeout(this.resizeTimer);
    this.follower.stop();
    this.keyboard.dispose();
    this.link.close();
    this.removePictures(null);
  }

  private show(connection: GuacamoleConnection): void {
    this.removePictures(connection);
    this.shown = connection;
    connection.element.classList.remove('guest-undrawn');
    connection.place(fitDisplay(connection.size, window));
    this.clipboard.forget();
    this.update({ picture: true });
    this.portal.markDrawn();
    void this.follower.follow();
    if (this.nothingElseHasFocus()) this.focus();
    void this.clipboard.readIfAllowed();
  }

  private async acceptClipboard(text: string): Promise<void> {
    this.update({ guestText: text, clipboardBlocked: !(await this.clipboard.accept(text)) });
  }

  private removePictures(except: GuacamoleConnection | null): void {
    for (const element of Array.from(this.container.querySelectorAll('.guest'))) {
      if (element !== except?.element) element.remove();
    }
  }

  private nothingElseHasFocus(): boolean {
    return document.activeElement === null || document.activeElement === document.body;
  }

  private listen(change: 'add' | 'remove'): void {
    const method = change === 'add' ? 'addEventListener' : 'removeEventListener';
    this.container[method]('mousedown', this.onPointerDown);
    this.container[method]('touchend', this.onPointerDown);
    window[method]('resize', this.onWindowResize);
    window[method]('focus', this.onWindowFocus);
    window[method]('online', this.onBack);
    window[method]('pagehide', this.onPageHide);
    document[method]('visibilitychange', this.onBack);
  }

  private readonly onPointerDown = (event: Event): void => {
    if (event.type === 'mousedown') event.preventDefault(); // or the focus would go to the page
    this.focus();
  };

  private readonly onWindowResize = (): void => {
    this.shown?.place(fitDisplay(this.shown.size, window));
    if (this.resizeTimer !== null) clearTimeout(this.resizeTimer);
    this.resizeTimer = setTimeout(() => void this.follower.follow(), resizeSettledMs);
  };

  private readonly onWindowFocus = (): void => {
    if (this.nothingElseHasFocus()) this.focus();
    if (this.state.link.kind === 'connected') void this.clipboard.readIfAllowed();
  };

  private readonly onBack = (): void => {
    if (document.visibilityState === 'visible') this.link.retryNow();
  };

  private readonly onPageHide = (): void => this.link.close();

  private update(change: Partial<SurfaceState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}
