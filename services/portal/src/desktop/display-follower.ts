import type { DisplaySize } from '#libs/contracts';

export interface DisplayPorts {
  /** Of the picture; null: there is none that lives. */
  size(): DisplaySize | null;
  wanted(): DisplaySize;
  /** Asks the guest to draw at this size. It does so, or not, some time after this resolves. */
  ask(size: DisplaySize): Promise<void>;
  /** Connects anew: `follow` is called with the next picture. */
  renew(): void;
}

/** Guests without hardware virtualisation take two seconds. */
const drawnWithinMs = 3_000;
const renewals = 2;

/**
 * Has the guest draw at the size of the window. guacd 1.3 with libvncclient 0.9.14 hears nothing of a new size, as QEMU
 * tells it for a screen of the number 0: a picture that has grown ends the connection, one that has shrunk stays what it
 * was. So it is looked at again, and a new connection is made, which learns of the size at its start.
 */
export class DisplayFollower {
  private asked: DisplaySize | null = null;
  private times = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly ports: DisplayPorts) {}

  /** Call when there is a picture, and when the window has another size. */
  async follow(): Promise<void> {
    this.stop();
    const size = this.ports.size();
    const wanted = this.ports.wanted();
    if (!size) return;
    if (isSame(size, wanted)) {
      this.asked = null;
      return;
    }
    if (!this.asked || !isSame(this.asked, wanted)) this.times = 0;
    this.asked = wanted;
    this.times += 1;
    // Where the guest does not follow, the picture stays scaled: that is good enough not to bother anyone.
    if (this.times <= renewals) this.timer = setTimeout(() => this.look(), this.times * drawnWithinMs);
    await this.ports.ask(wanted).catch(() => undefined);
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private look(): void {
    const size = this.ports.size();
    if (size && !isSame(size, this.ports.wanted())) this.ports.renew();
  }
}

const isSame = (one: DisplaySize, other: DisplaySize): boolean =>
  one.width === other.width && one.height === other.height;
