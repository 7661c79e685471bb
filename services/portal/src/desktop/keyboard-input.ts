import Guacamole from 'guacamole-common-js';

export interface KeyboardHandlers {
  onKey(pressed: boolean, keysym: number): void;
  /** The person pasted; called before the keys of the paste reach the guest. */
  onPaste(text: string): void;
  /** Ctrl + Alt + Shift: the way to the bar without a pointer. */
  onBarShortcut(): void;
}

const keysyms = { v: 0x76, V: 0x56, insert: 0xff63 };
const controlKeys = [0xffe3, 0xffe4];
const altKeys = [0xffe9, 0xffea];
const shiftKeys = [0xffe1, 0xffe2];
/** The paste event follows its key at once; without permission or text there is none. */
const pasteEventTimeoutMs = 80;

/**
 * The keyboard while the desktop has the focus. It listens on a text area that nobody sees: input methods and paste
 * events need one. All keys are released when the focus goes elsewhere, so that no Alt stays down in the guest.
 */
export class KeyboardInput {
  private readonly keyboard: Guacamole.Keyboard;
  private heldPaste: { readonly keysym: number; readonly timer: ReturnType<typeof setTimeout> } | null = null;

  constructor(
    private readonly sink: HTMLTextAreaElement,
    private readonly handlers: KeyboardHandlers,
  ) {
    this.keyboard = new Guacamole.Keyboard(sink);
    this.keyboard.onkeydown = (keysym) => this.press(keysym);
    this.keyboard.onkeyup = (keysym) => {
      this.sendHeldPaste();
      handlers.onKey(false, keysym);
    };
    sink.addEventListener('paste', this.paste);
    sink.addEventListener('blur', this.releaseAll);
    sink.addEventListener('compositionend', this.empty);
    window.addEventListener('blur', this.releaseAll);
  }

  focus(): void {
    this.sink.focus({ preventScroll: true });
  }

  dispose(): void {
    this.releaseAll();
    this.keyboard.onkeydown = null;
    this.keyboard.onkeyup = null;
    this.sink.removeEventListener('paste', this.paste);
    this.sink.removeEventListener('blur', this.releaseAll);
    this.sink.removeEventListener('compositionend', this.empty);
    window.removeEventListener('blur', this.releaseAll);
  }

  /** Returns true where the browser shall do what it always does with the key. */
  private press(keysym: number): boolean {
    this.sendHeldPaste();
    if (this.isBarShortcut()) {
      this.keyboard.reset();
      this.handlers.onBarShortcut();
      return false;
    }
    if (this.isPasteKey(keysym)) {
      // The text must reach the guest before the key does, and the browser tells it only after this handler.
      this.heldPaste = { keysym, timer: setTimeout(() => this.sendHeldPaste(), pasteEventTimeoutMs) };
      return true;
    }
    this.handlers.onKey(true, keysym);
    return false;
  }

  private readonly paste = (event: ClipboardEvent): void => {
    event.preventDefault();
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (text !== '') this.handlers.onPaste(text);
    this.sendHeldPaste();
  };

  private readonly releaseAll = (): void => {
    this.sendHeldPaste();
    this.keyboard.reset();
  };

  private readonly empty = (): void => {
    this.sink.value = '';
  };

  private sendHeldPaste(): void {
    const held = this.heldPaste;
    if (!held) return;
    this.heldPaste = null;
    clearTimeout(held.timer);
    this.handlers.onKey(true, held.keysym);
  }

  private isPasteKey(keysym: number): boolean {
    if (keysym === keysyms.v || keysym === keysyms.V) return this.isDown(controlKeys) && !this.isDown(altKeys);
    return keysym === keysyms.insert && this.isDown(shiftKeys);
  }

  private isBarShortcut(): boolean {
    return this.isDown(controlKeys) && this.isDown(altKeys) && this.isDown(shiftKeys);
  }

  private isDown(keys: readonly number[]): boolean {
    return keys.some((keysym) => this.keyboard.pressed[keysym]);
  }
}
