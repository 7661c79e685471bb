import { createDecipheriv, createHash, pbkdf2Sync, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type FilePart, luksContainer } from './luks-container.js';

const KEY_BYTES = 64;

function decrypt(key: Buffer, bytes: Buffer): Buffer {
  const plain: Buffer[] = [];
  for (let sector = 0; sector * 512 < bytes.length; sector++) {
    const tweak = Buffer.alloc(16);
    tweak.writeUInt32LE(sector);
    const decipher = createDecipheriv('aes-256-xts', key, tweak);
    plain.push(decipher.update(bytes.subarray(sector * 512, (sector + 1) * 512)));
  }
  return Buffer.concat(plain);
}

/** As the LUKS1 specification tells a reader to; the QEMU test opens one for real. */
function open(passphrase: Buffer, parts: readonly FilePart[]): Buffer | undefined {
  const file = Buffer.alloc(Math.max(...parts.map(({ offset, bytes }) => offset + bytes.length)));
  for (const { offset, bytes } of parts) bytes.copy(file, offset);
  const slotKey = pbkdf2Sync(passphrase, file.subarray(216, 248), file.readUInt32BE(212), KEY_BYTES, 'sha256');
  const materialAt = file.readUInt32BE(248) * 512;
  const stripes = decrypt(slotKey, file.subarray(materialAt, materialAt + file.readUInt32BE(252) * KEY_BYTES));
  let sum = Buffer.alloc(KEY_BYTES);
  for (let at = 0; at < stripes.length; at += KEY_BYTES) {
    sum = Buffer.from(sum.map((byte, i) => byte ^ (stripes[at + i] ?? 0)));
    if (at + KEY_BYTES === stripes.length) break;
    sum = Buffer.concat(
      [0, 1].map((n) =>
        createHash('sha256')
          .update(Buffer.from([0, 0, 0, n]))
          .update(sum.subarray(n * 32, n * 32 + 32))
          .digest(),
      ),
    );
  }
  const digest = pbkdf2Sync(sum, file.subarray(132, 164), file.readUInt32BE(164), 20, 'sha256');
  if (!digest.equals(file.subarray(112, 132))) return undefined;
  return decrypt(sum, file.subarray(file.readUInt32BE(104) * 512));
}

describe('luksContainer', () => {
  const passphrase = Buffer.from(randomBytes(32).toString('base64'));
  const content = Buffer.from('QFI and what follows '.repeat(100));

  it('gives its content back for the passphrase', () => {
    const opened = open(passphrase, luksContainer(passphrase, content));
    expect(opened?.subarray(0, content.length).equals(content)).toBe(true);
  });

  it('gives nothing for another', () => {
    expect(open(Buffer.from('another'), luksContainer(passphrase, content))).toBeUndefined();
  });

  it('shows neither content nor passphrase, and is never twice the same', () => {
    const [one, two] = [luksContainer(passphrase, content), luksContainer(passphrase, content)].map((parts) =>
      Buffer.concat(parts.map(({ bytes }) => bytes)),
    );
    expect(one?.includes('and what follows')).toBe(false);
    expect(one?.includes(passphrase)).toBe(false);
    expect(one?.subarray(4096).equals(two?.subarray(4096) ?? Buffer.alloc(0))).toBe(false);
  });
});
