import { createCipheriv, hash, pbkdf2Sync, randomBytes, randomUUID } from 'node:crypto';

const SECTOR_BYTES = 512;
const KEY_BYTES = 64;
const STRIPES = 4000;
const SLOTS = 8;
const FIRST_MATERIAL_SECTOR = 8;
const MATERIAL_SECTORS = 504;
const PAYLOAD_SECTOR = 4096;
/** The least that LUKS knows: the passphrase is random, so there is nothing to guess. */
const ITERATIONS = 1000;
const SLOT_ACTIVE = 0x00ac71f3;
const SLOT_FREE = 0x0000dead;
const DIGEST = 'sha256';
const DIGEST_BYTES = 32;

/** A part of a file. */
export interface FilePart {
  readonly offset: number;
  readonly bytes: Buffer;
}

/**
 * A LUKS1 container (AES-256-XTS) with `content` at its start, as the parts of a sparse file that is not there yet.
 * Made here rather than by cryptsetup and qemu-img, which take 70 ms and two processes for it. The master key is
 * nowhere but in the container, wrapped with the passphrase; who has lost that has lost the content.
 * @param passphrase random text of at least 256 bits
 */
export function luksContainer(passphrase: Buffer, content: Buffer): FilePart[] {
  const masterKey = randomBytes(KEY_BYTES);
  const slotSalt = randomBytes(32);
  const slotKey = pbkdf2Sync(passphrase, slotSalt, ITERATIONS, KEY_BYTES, DIGEST);
  const digestSalt = randomBytes(32);
  const header = Buffer.alloc(FIRST_MATERIAL_SECTOR * SECTOR_BYTES);
  header.write('LUKS\xba\xbe', 0, 'latin1');
  header.writeUInt16BE(1, 6);
  header.write('aes', 8);
  header.write('xts-plain64', 40);
  header.write(DIGEST, 72);
  header.writeUInt32BE(PAYLOAD_SECTOR, 104);
  header.writeUInt32BE(KEY_BYTES, 108);
  pbkdf2Sync(masterKey, digestSalt, ITERATIONS, 20, DIGEST).copy(header, 112);
  digestSalt.copy(header, 132);
  header.writeUInt32BE(ITERATIONS, 164);
  header.write(randomUUID(), 168);
  for (let slot = 0; slot < SLOTS; slot++) {
    const at = 208 + slot * 48;
    header.writeUInt32BE(slot === 0 ? SLOT_ACTIVE : SLOT_FREE, at);
    header.writeUInt32BE(slot === 0 ? ITERATIONS : 0, at + 4);
    if (slot === 0) slotSalt.copy(header, at + 8);
    header.writeUInt32BE(FIRST_MATERIAL_SECTOR + slot * MATERIAL_SECTORS, at + 40);
    header.writeUInt32BE(STRIPES, at + 44);
  }
  const split = spread(masterKey);
  const parts = [
    { offset: 0, bytes: header },
    { offset: FIRST_MATERIAL_SECTOR * SECTOR_BYTES, bytes: encryptSectors(slotKey, split) },
    { offset: PAYLOAD_SECTOR * SECTOR_BYTES, bytes: encryptSectors(masterKey, content) },
  ];
  for (const secret of [masterKey, slotKey, split]) secret.fill(0);
  return parts;
}

/** LUKS spreads a key over many stripes, all of which are needed to get it back. */
function spread(key: Buffer): Buffer {
  const stripes = randomBytes(STRIPES * KEY_BYTES);
  const sum = Buffer.alloc(KEY_BYTES);
  for (let stripe = 0; stripe < STRIPES - 1; stripe++) {
    add(sum, stripes, stripe * KEY_BYTES);
    diffuse(sum);
  }
  const last = stripes.subarray((STRIPES - 1) * KEY_BYTES);
  for (let i = 0; i < KEY_BYTES; i++) last[i] = (sum[i] ?? 0) ^ (key[i] ?? 0);
  sum.fill(0);
  return stripes;
}

function add(sum: Buffer, from: Buffer, at: number): void {
  for (let i = 0; i < KEY_BYTES; i++) sum[i] = (sum[i] ?? 0) ^ (from[at + i] ?? 0);
}

function diffuse(block: Buffer): void {
  const numbered = Buffer.alloc(4 + DIGEST_BYTES);
  for (let at = 0, number = 0; at < KEY_BYTES; at += DIGEST_BYTES, number++) {
    numbered.writeUInt32BE(number, 0);
    block.copy(numbered, 4, at, at + DIGEST_BYTES);
    hash(DIGEST, numbered, 'buffer').copy(block, at);
  }
}

function encryptSectors(key: Buffer, plain: Buffer): Buffer {
  const sectors = Math.ceil(plain.length / SECTOR_BYTES);
  const padded = Buffer.alloc(sectors * SECTOR_BYTES);
  plain.copy(padded);
  const tweak = Buffer.alloc(16);
  for (let sector = 0; sector < sectors; sector++) {
    tweak.writeUInt32LE(sector, 0);
    const cipher = createCipheriv('aes-256-xts', key, tweak);
    const at = sector * SECTOR_BYTES;
    cipher.update(padded.subarray(at, at + SECTOR_BYTES)).copy(padded, at);
  }
  return padded;
}
