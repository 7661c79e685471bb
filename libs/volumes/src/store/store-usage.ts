import { chunkKey, type Digest } from '../chunk/digest.js';
import type { ObjectStore } from '../object-store.js';
import type { VersionRegister } from '../version/version-register.js';

export interface VolumeUsage {
  readonly volume: string;
  readonly versions: number;
  /** Of all its versions, holes counted. */
  readonly logicalBytes: number;
  /** Stored chunks that only this volume needs: what deleting it would free. */
  readonly uniqueBytes: number;
  /** Stored chunks that other volumes need too. */
  readonly sharedBytes: number;
}

export interface StoreUsage {
  readonly volumes: readonly VolumeUsage[];
  readonly logicalBytes: number;
  /** All chunks, as stored. */
  readonly storedBytes: number;
  /** Of these, what no version needs: garbage, or of writers that are at work. */
  readonly unneededBytes: number;
}

/** What each volume takes of the store. Versions that are deleted meanwhile may be counted or not. */
export async function measureUsage(objects: ObjectStore, register: VersionRegister): Promise<StoreUsage> {
  const stored = new Map<string, number>();
  for await (const { key, bytes } of objects.list('chunks/')) stored.set(key, bytes);
  const volumes = new Map<string, { versions: number; logicalBytes: number; chunks: Set<Digest> }>();
  for (const { volume, id, sizeBytes } of await register.list()) {
    const found = volumes.get(volume) ?? { versions: 0, logicalBytes: 0, chunks: new Set() };
    volumes.set(volume, found);
    found.versions++;
    found.logicalBytes += sizeBytes;
    for (const { digest } of (await register.manifest(id)).chunks()) found.chunks.add(digest);
  }
  const needers = new Map<Digest, number>();
  for (const { chunks } of volumes.values()) {
    for (const digest of chunks) needers.set(digest, (needers.get(digest) ?? 0) + 1);
  }
  const storedBytesOf = (digest: Digest): number => stored.get(chunkKey(digest)) ?? 0;
  const rows = [...volumes].map(([volume, { versions, logicalBytes, chunks }]): VolumeUsage => {
    let uniqueBytes = 0;
    let sharedBytes = 0;
    for (const digest of chunks) {
      if (needers.get(digest) === 1) uniqueBytes += storedBytesOf(digest);
      else sharedBytes += storedBytesOf(digest);
    }
    return { volume, versions, logicalBytes, uniqueBytes, sharedBytes };
  });
  const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
  const storedBytes = sum(stored.values());
  return {
    volumes: rows,
    logicalBytes: sum(rows.map((row) => row.logicalBytes)),
    storedBytes,
    unneededBytes: storedBytes - sum([...needers.keys()].map(storedBytesOf)),
  };
}
