import type { Socket } from 'node:net';
import GuacdClient from 'guacamole-lite/lib/GuacdClient.js';
import { encodeInstruction, GUACD_MAX_INSTRUCTION_BYTES, type Instruction, parseInstructions } from './instruction.js';
import { GuacamoleProtocolError } from './protocol-error.js';
import { reasonOfGuacdStatus } from './tunnel-close.js';
import { TunnelError } from './tunnel-error.js';
import type { GuacdSettings } from './vnc-settings.js';

export interface GuacdConnection {
  readonly socket: Socket;
  /** guacd's own name of the connection. Whoever knows it can join: it never leaves the gateway and is never logged. */
  readonly connectionId: string;
  /** What came after `ready` in the same packet. */
  readonly leftover: Buffer;
}

type Version = readonly [major: number, minor: number, patch: number];
const NEWEST: Version = [1, 5, 0];
const TIMEZONE_SINCE: Version = [1, 1, 0];
const OLDEST: Version = [1, 0, 0];

const notBefore = (a: Version, b: Version): boolean => (a[0] - b[0] || a[1] - b[1] || a[2] - b[2]) >= 0;

/** The newest protocol version that both sides know; 1.0.0 when guacd names none. */
export function negotiateVersion(offered: string | undefined): Version {
  const match = /^VERSION_(\d+)_(\d+)_(\d+)$/.exec(offered ?? '');
  if (!match) return OLDEST;
  const version: Version = [Number(match[1]), Number(match[2]), Number(match[3])];
  return notBefore(version, NEWEST) ? NEWEST : version;
}

const SILENT = { log: () => undefined };

/**
 * guacamole-lite's client for the handshake up to `ready`, corrected: no delay on small packets, protocol versions up
 * to 1.5, bytes cut inside a character, no log of what is said, and the socket is given away afterwards.
 */
export class GuacdHandshake extends GuacdClient {
  private received: Buffer = Buffer.alloc(0);

  constructor(
    guacd: { host: string; port: number },
    private readonly settings: GuacdSettings,
    private readonly ready: (connection: GuacdConnection) => void,
    private readonly failed: (error: TunnelError) => void,
  ) {
    super(guacd, settings.protocol, settings.parameters, SILENT);
    clearInterval(this.activityCheckInterval);
    this.guacdConnection.setNoDelay(true);
    this.guacdConnection.removeAllListeners('data');
    this.guacdConnection.on('data', (chunk: Buffer) => this.receive(chunk));
    this.on('error', (cause) => this.failed(new TunnelError('guacd-unavailable', 'no connection to guacd', { cause })));
    this.on('close', () => this.failed(new TunnelError('guacd-unavailable', 'guacd closed the connection')));
  }

  protected override sendInstruction(elements: readonly unknown[]): void {
    const instruction = elements.map((element) => String(element ?? '')) as unknown as Instruction;
    this.guacdConnection.write(encodeInstruction(instruction));
  }

  protected override sendHandshakeReply(names: readonly string[]): void {
    const offered = names.find((name) => name.startsWith('VERSION_'));
    const version = negotiateVersion(offered);
    const { display, imageTypes, parameters } = this.settings;
    this.guacdConnection.cork();
    this.sendInstruction(['size', display.width, display.height, display.dpi]);
    this.sendInstruction(['audio']);
    this.sendInstruction(['video']);
    this.sendInstruction(['image', ...imageTypes]);
    if (notBefore(version, TIMEZONE_SINCE)) this.sendInstruction(['timezone', '']);
    const values = names.map((name) => (name === offered ? `VERSION_${version.join('_')}` : (parameters[name] ?? '')));
    this.sendInstruction(['connect', ...values]);
    this.guacdConnection.uncork();
  }

  private receive(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    try {
      for (let end = this.received.indexOf(';'); end >= 0; end = this.received.indexOf(';', end + 1)) {
        const instruction = wholeInstruction(this.received.subarray(0, end + 1));
        if (!instruction) continue;
        this.received = this.received.subarray(end + 1);
        end = -1;
        const [opcode, ...args] = instruction;
        if (opcode === 'args') this.sendHandshakeReply(args);
        if (opcode === 'ready') this.handOver(args[0] ?? '');
        if (opcode === 'error') this.refused(Number(args[1]));
        if (opcode === 'ready' || opcode === 'error') return;
      }
      if (this.received.length > GUACD_MAX_INSTRUCTION_BYTES) throw new GuacamoleProtocolError('instruction too long');
    } catch (cause) {
      this.failed(new TunnelError('desktop-protocol', 'guacd does not speak its protocol', { cause }));
    }
  }

  private refused(status: number): void {
    this.failed(new TunnelError(reasonOfGuacdStatus(status), `guacd refused the connection with status ${status}`));
  }

  private handOver(connectionId: string): void {
    const socket = this.guacdConnection;
    socket.pause();
    for (const event of ['data', 'connect', 'close', 'error']) socket.removeAllListeners(event);
    // Until the relay listens, an error must not end the process; the relay sees that the socket is destroyed.
    socket.on('error', () => undefined);
    this.ready({ socket, connectionId, leftover: this.received });
  }
}

/** The instruction that `bytes` are, or undefined when the `;` at its end belongs to a value. */
function wholeInstruction(bytes: Buffer): Instruction | undefined {
  try {
    return parseInstructions(bytes.toString('utf8'))[0];
  } catch (error) {
    if (error instanceof GuacamoleProtocolError && error.message === 'incomplete instruction') return undefined;
    throw error;
  }
}
