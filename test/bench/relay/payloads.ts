/** `blobs`: pictures in pieces as guacd sends them, 6 KiB each. `tiny`: drawing instructions of some 25 bytes. */
export type Payload = 'blobs' | 'tiny';

const BLOCK_BYTES = 256 * 1024;

const picture = (): string => {
  const blob = `4.blob,1.3,6048.${'A'.repeat(6048)};`;
  return `3.img,1.3,2.12,1.0,9.image/png,3.100,3.200;${blob.repeat(8)}3.end,1.3;4.sync,8.12345678;`;
};
const strokes =
  '4.rect,1.0,2.10,2.20,2.30,2.40;5.cfill,2.12,1.0,1.9,2.90,1.3,3.255;5.mouse,3.512,3.384;4.sync,8.12345678;';

/** About 256 KiB of whole instructions. */
export function payloadOf(kind: Payload): Buffer {
  const frame = kind === 'blobs' ? picture() : strokes;
  return Buffer.from(frame.repeat(Math.ceil(BLOCK_BYTES / frame.length)));
}
