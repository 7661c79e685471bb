import { encodeInstruction, GUACD_MAX_INSTRUCTION_BYTES, type LengthUnit, parseInstructions } from './instruction.js';
import { GuacamoleProtocolError } from './protocol-error.js';

/** The opcode of messages between browser and gateway that guacd never sees. */
const INTERNAL = '';
const MAX_PING_LENGTH = 64;

/** What a browser may say to a VNC desktop. No files, pipes, sound or second handshake. */
const allowedOpcodes: ReadonlySet<string> = new Set([
  'mouse',
  'key',
  'size',
  'sync',
  'clipboard',
  'blob',
  'end',
  'ack',
  'nop',
]);

export interface BrowserInput {
  /** Encoded for guacd; empty when nothing is for it. */
  readonly toGuacd: string;
  /** Encoded answers to the tunnel's own pings. */
  readonly toBrowser: string;
  /** The browser says goodbye. */
  readonly disconnect: boolean;
  /** Instructions left out because a browser has no business sending them. */
  readonly denied: number;
}

/**
 * Reads one websocket message, which must hold whole instructions.
 * @throws GuacamoleProtocolError when it is malformed or an instruction is longer than guacd takes
 */
export function readBrowserMessage(message: string, lengthUnit: LengthUnit): BrowserInput {
  let toGuacd = '';
  let toBrowser = '';
  let disconnect = false;
  let denied = 0;
  for (const instruction of parseInstructions(message, lengthUnit)) {
    const [opcode, first, second] = instruction;
    if (opcode === INTERNAL) {
      if (first !== 'ping' || (second ?? '').length > MAX_PING_LENGTH) denied++;
      else toBrowser += encodeInstruction([INTERNAL, 'ping', second ?? ''], lengthUnit);
    } else if (opcode === 'disconnect') disconnect = true;
    else if (!allowedOpcodes.has(opcode)) denied++;
    else {
      const encoded = encodeInstruction(instruction);
      if (Buffer.byteLength(encoded) > GUACD_MAX_INSTRUCTION_BYTES) {
        throw new GuacamoleProtocolError('instruction too long');
      }
      toGuacd += encoded;
    }
  }
  return { toGuacd, toBrowser, disconnect, denied };
}
