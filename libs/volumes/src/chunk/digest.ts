import { createHash } from 'node:crypto';

/** Lower-case hexadecimal SHA-256. */
export type Digest = string;

export const DIGEST_BYTES = 32;
export const digestPattern = /^[0-9a-f]{64}$/;

export const digestOf = (content: Uint8Array): Digest => createHash('sha256').update(content).digest('hex');

/** Two characters of folder, so that no folder of a directory store holds too many files. */
export const chunkKey = (digest: Digest): string => `chunks/${digest.slice(0, 2)}/${digest}`;

export const digestOfKey = (key: string): Digest => key.slice(key.lastIndexOf('/') + 1);
