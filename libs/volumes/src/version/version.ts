import { z } from 'zod';
import { digestPattern } from '../chunk/digest.js';
import { VolumeError } from '../volume-error.js';

/** Names the content of a version: the digest of its manifest. Two versions with the same content have the same id. */
export type VersionId = string;

const volumePattern = /^[a-z0-9][a-z0-9._-]{0,62}(\/[a-z0-9][a-z0-9._-]{0,62}){0,2}$/;

/** Up to three parts with slashes between, e.g. `images/call-center`. */
export const volumeNameSchema = z.string().regex(volumePattern);

/** A named version, as a small object of the store says it. */
export const versionSchema = z.strictObject({
  volume: volumeNameSchema,
  /** From 1 upwards, never given twice in a volume. */
  number: z.int().min(1).max(99_999_999),
  id: z.string().regex(digestPattern),
  /** Of the volume, holes counted. */
  sizeBytes: z.int().min(0),
  /** Of its content that is not holes, before compression. */
  dataBytes: z.int().min(0),
  createdAt: z.iso.datetime().transform((text) => new Date(text)),
});

export type Version = Readonly<z.infer<typeof versionSchema>>;

export const manifestKey = (id: VersionId): string => `manifests/${id}`;

const NUMBER_DIGITS = 8;

/** The part of the number begins with what no volume name has, so that volumes can be named below each other. */
const numbered = (folder: string, volume: string, number: number): string =>
  `${folder}/${volume}/_${String(number).padStart(NUMBER_DIGITS, '0')}`;

export const versionKey = (volume: string, number: number): string => numbered('versions', volume, number);

/** Says that the number was given once and the version deleted. */
export const retiredKey = (volume: string, number: number): string => numbered('retired', volume, number);

const keyPattern = /^(?:versions|retired)\/(.+)\/_(\d{8})$/;

/** Undefined for a key that is none of a version. */
export function volumeAndNumber(key: string): { volume: string; number: number } | undefined {
  const match = keyPattern.exec(key);
  return match?.[1] && match[2] ? { volume: match[1], number: Number(match[2]) } : undefined;
}

export const encodeVersion = (version: Version): Uint8Array => Buffer.from(JSON.stringify(version));

/** @throws VolumeError 'version-damaged' unless these bytes say the version that belongs under this key */
export function decodeVersion(key: string, bytes: Uint8Array): Version {
  try {
    const version = versionSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    if (versionKey(version.volume, version.number) === key) return version;
  } catch {
    // Told below.
  }
  throw new VolumeError('version-damaged', `${key} is damaged in the store`);
}

/** @throws VolumeError 'invalid' */
export function checkVolume(volume: string): void {
  if (!volumePattern.test(volume)) throw new VolumeError('invalid', `${JSON.stringify(volume)} cannot name a volume`);
}
