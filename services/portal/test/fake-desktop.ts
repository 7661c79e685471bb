import type { WebSocket } from 'ws';

/** One Guacamole instruction as text, e.g. `4.sync,1.7;`. */
export function instruction(...elements: (string | number)[]): string {
  return `${elements.map((element) => `${String(element).length}.${element}`).join(',')};`;
}

/** The instructions in one websocket message; messages always hold whole ones. */
export function parseInstructions(message: string): string[][] {
  const instructions: string[][] = [];
  let elements: string[] = [];
  let at = 0;
  while (at < message.length) {
    const dot = message.indexOf('.', at);
    const end = dot + 1 + Number(message.slice(at, dot));
    elements.push(message.slice(dot + 1, end));
    if (message[end] === ';') {
      instructions.push(elements);
      elements = [];
    }
    at = end + 1;
  }
  return instructions;
}

type Colour = readonly [number, number, number];
const wallpapers: readonly Colour[] = [
  [44, 74, 92],
  [70, 62, 96],
  [52, 88, 66],
];

/** What the guest behind one tunnel was sent, for tests to look at. */
export interface Received {
  readonly keys: { keysym: number; pressed: boolean }[];
  readonly clicks: { x: number; y: number }[];
  readonly clipboards: string[];
}

/** A guest that draws a wallpaper, a panel and a window, and a square for every key that is pressed. */
export class FakeDesktop {
  private size = { width: 1024, height: 768 };
  private timestamp = 1;
  private squares = 0;
  private clipboard = new Map<string, string>();
  private readonly idle: NodeJS.Timeout;

  constructor(
    private readonly socket: WebSocket,
    /** 0 is the session's first desktop, 1 the one after the first restart, and so on. */
    private readonly generation: number,
    size: { width: number; height: number },
    private readonly received: Received,
  ) {
    this.size = size;
    socket.on('message', (data) => {
      for (const [opcode = '', ...values] of parseInstructions(String(data))) this.handle(opcode, values);
    });
    socket.send(instruction('', '00000000-0000-4000-8000-0000000000ff'));
    // As guacd does at times: a size and a sync before the first picture.
    socket.send(instruction('size', 0, size.width, size.height));
    this.sync();
    setTimeout(() => this.draw(), 100);
    this.idle = setInterval(() => this.sync(), 1_000);
    socket.on('close', () => clearInterval(this.idle));
  }

  /** @param isTold whether the browser is told, as it is not by guacd 1.3 */
  resize(size: { width: number; height: number }, isTold: boolean): void {
    this.size = size;
    if (isTold) this.draw();
  }

  copy(text: string): void {
    const bytes = Buffer.from(text).toString('base64');
    this.socket.send(instruction('clipboard', 1, 'text/plain') + instruction('blob', 1, bytes) + instruction('end', 1));
  }

  private draw(): void {
    const { width, height } = this.size;
    const wallpaper = wallpapers[this.generation % wallpapers.length] ?? wallpapers[0];
    this.socket.send(
      instruction('size', 0, width, height) +
        this.rectangle(0, 0, width, height, wallpaper as Colour) +
        this.rectangle(0, height - 30, width, 30, [30, 33, 38]) +
        this.rectangle(8, height - 24, 64, 18, [64, 70, 80]) +
        this.rectangle(160, 110, 560, 360, [238, 238, 236]) +
        this.rectangle(160, 110, 560, 26, [58, 64, 74]) +
        this.rectangle(172, 150, 300, 10, [120, 124, 130]) +
        this.rectangle(172, 170, 220, 10, [160, 164, 170]),
    );
    this.sync();
  }

  private rectangle(x: number, y: number, width: number, height: number, [red, green, blue]: Colour): string {
    // 14 = "over", the normal channel mask.
    return instruction('rect', 0, x, y, width, height) + instruction('cfill', 14, 0, red, green, blue, 255);
  }

  private sync(): void {
    this.timestamp += 1;
    this.socket.send(instruction('sync', this.timestamp));
  }

  private handle(opcode: string, values: string[]): void {
    if (opcode === '' && values[0] === 'ping') this.socket.send(instruction('', 'ping', values[1] ?? ''));
    if (opcode === 'mouse' && values[2] === '1')
      this.received.clicks.push({ x: Number(values[0]), y: Number(values[1]) });
    if (opcode === 'key') this.key(Number(values[0]), values[1] === '1');
    if (opcode === 'clipboard') this.clipboard.set(values[0] ?? '', '');
    if (opcode === 'blob') {
      const before = this.clipboard.get(values[0] ?? '') ?? '';
      this.clipboard.set(values[0] ?? '', before + Buffer.from(values[1] ?? '', 'base64').toString('utf8'));
      this.socket.send(instruction('ack', values[0] ?? '', 'OK', 0));
    }
    if (opcode === 'end') this.received.clipboards.push(this.clipboard.get(values[0] ?? '') ?? '');
  }

  private key(keysym: number, pressed: boolean): void {
    this.received.keys.push({ keysym, pressed });
    if (!pressed) return;
    this.socket.send(this.rectangle(172 + this.squares * 16, 200, 12, 12, [200, 162, 74]));
    this.squares += 1;
    this.sync();
  }
}
