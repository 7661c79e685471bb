/** Characters that need Shift on a US keyboard, and those that must not have it. Letters are left to the guest. */
const shifted = new Set([...'~!@#$%^&*()_+{}|:"<>?'].map((character) => character.charCodeAt(0)));
const plain = new Set([..."`1234567890-=[]\\;',./"].map((character) => character.charCodeAt(0)));
const leftShift = 0xffe1;
const shiftKeys = new Set([leftShift, 0xffe2]);
/** AltGr. */
const levelKeys = new Set([0xfe03, 0xfe11]);

/**
 * VNC passes on what a key means ("/"), and the guest finds the key of a US keyboard for it but leaves Shift and AltGr as
 * they are held. On a German keyboard "/" is Shift and 7, which would arrive as "?". This holds or lifts them around such
 * a key, so that every layout types what is printed on its keys.
 */
export class UsLayout {
  private readonly held = new Set<number>();

  constructor(private readonly send: (pressed: boolean, keysym: number) => void) {}

  key(pressed: boolean, keysym: number): void {
    if (shiftKeys.has(keysym) || levelKeys.has(keysym)) {
      if (pressed) this.held.add(keysym);
      else this.held.delete(keysym);
    } else if (pressed && (shifted.has(keysym) || plain.has(keysym))) {
      this.press(keysym);
      return;
    }
    this.send(pressed, keysym);
  }

  private press(keysym: number): void {
    const needsShift = shifted.has(keysym);
    const inTheWay = [...this.held].filter((key) => levelKeys.has(key) || (!needsShift && shiftKeys.has(key)));
    const addShift = needsShift && ![...this.held].some((key) => shiftKeys.has(key));
    for (const key of inTheWay) this.send(false, key);
    if (addShift) this.send(true, leftShift);
    this.send(true, keysym);
    if (addShift) this.send(false, leftShift);
    for (const key of inTheWay) this.send(true, key);
  }
}
