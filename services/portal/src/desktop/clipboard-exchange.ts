import { clipboardMaxCharacters } from './guacamole-connection.js';

/**
 * Text between this computer's clipboard and the guest's. Where the browser does not allow it (plain http, or the
 * person said no) the paste key and the box in the bar remain.
 */
export class ClipboardExchange {
  private lastText: string | null = null;

  constructor(private readonly sendToGuest: (text: string) => void) {}

  /** Sends text to the guest unless it has it already. Returns false when it is too long to send. */
  offer(text: string): boolean {
    if (text.length > clipboardMaxCharacters) return false;
    if (text !== '' && text !== this.lastText) {
      this.lastText = text;
      this.sendToGuest(text);
    }
    return true;
  }

  /** The guest copied something: puts it on this computer's clipboard. Returns false where that is not allowed. */
  async accept(text: string): Promise<boolean> {
    this.lastText = text;
    if (!navigator.clipboard) return false;
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }

  /** On focus: reads this computer's clipboard if that was allowed before. It never asks by itself. */
  async readIfAllowed(): Promise<void> {
    if (!navigator.clipboard?.readText || !document.hasFocus()) return;
    try {
      const permission = await navigator.permissions.query({ name: 'clipboard-read' as PermissionName });
      if (permission.state === 'granted') this.offer(await navigator.clipboard.readText());
    } catch {
      // A browser that does not know the permission has the paste key.
    }
  }

  /** A new connection: the guest behind it may know nothing of what was sent before. */
  forget(): void {
    this.lastText = null;
  }
}
