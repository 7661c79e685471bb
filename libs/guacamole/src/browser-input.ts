import { encodeInstruction, GUACD_MAX_INSTRUCTION_BYTES, type LengthUnit, parseInstructions } from './instruction.js';
import { GuacamoleProtocolError } from './protocol-error.js';
import { COPY_STREAM, type RelayClipboard } from './relay-clipboard.js';

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
 * @param clipboard is shown what goes to guacd
 * @throws GuacamoleProtocolError when it is malformed or an instruction is longer than guacd takes
 */
export function readBrowserMessage(
  message: string,
  lengthUnit: LengthUnit,
  clipboard?: Pick<RelayClipboard, 'sawFromBrowser'>,
): BrowserInput {
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
    // The answer to a text that guacd knows nothing of.
    else if (opcode === 'ack' && first === COPY_STREAM) continue;
    else {
      const encoded = encodeInstruction(instruction);
      if (Buffer.byteLength(encoded) > GUACD_MAX_INSTRUCTION_BYTES) {
        throw new GuacamoleProtocolError('instruction too long');
      }
      toGuacd += encoded;
      clipboard?.sawFromBrowser(instruction);
    }
  }
  return { toGuacd, toBrowser, disconnect, denied };
}
