import { createCipheriv } from 'node:crypto';
import { RfbError, type RfbReading, skip } from './rfb-reading.js';

const VERSION = 'RFB 003.008\n';
const VNC_AUTHENTICATION = 2;
const SHARED = 1;
const MAX_NAME_BYTES = 64 * 1024;

export interface RfbHandshakeOptions {
  readonly password: string;
  write(bytes: Buffer): void;
}

/**
 * Does the client's part of an RFB 3.8 handshake with VNC authentication, as one viewer among others.
 * @returns how many bytes a pixel of the server has
 * @throws RfbError when the server speaks something else or refuses
 */
export function* rfbHandshake({ password, write }: RfbHandshakeOptions): RfbReading<number> {
  if ((yield VERSION.length).toString('latin1') !== VERSION) throw new RfbError('not RFB 3.8');
  write(Buffer.from(VERSION));
  const count = (yield 1).readUInt8(0);
  if (count === 0) throw new RfbError('the server refuses the connection');
  if (!(yield count).includes(VNC_AUTHENTICATION)) throw new RfbError('the server does not take a password');
  write(Buffer.from([VNC_AUTHENTICATION]));
  write(vncAuthentication(yield 16, password));
  if ((yield 4).readUInt32BE(0) !== 0) throw new RfbError('the server refuses the password');
  write(Buffer.from([SHARED]));
  const init = yield 24;
  const nameBytes = init.readUInt32BE(20);
  if (nameBytes > MAX_NAME_BYTES) throw new RfbError('the name of the desktop is too long');
  yield* skip(nameBytes);
  return Math.ceil(init.readUInt8(4) / 8);
}

/** The answer to a VNC challenge: DES with the password as key (its first 8 bytes), the bits of each byte reversed. */
export function vncAuthentication(challenge: Buffer, password: string): Buffer {
  const key = Buffer.alloc(8);
  Buffer.from(password).copy(key);
  const reversed = Buffer.from(key.map(reverseBits));
  // OpenSSL 3 has no single DES by default; three times the same key is the same.
  const cipher = createCipheriv('des-ede3-ecb', Buffer.concat([reversed, reversed, reversed]), null);
  return Buffer.concat([cipher.setAutoPadding(false).update(challenge), cipher.final()]);
}

function reverseBits(byte: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) reversed |= 128 >> bit;
  return reversed;
}
