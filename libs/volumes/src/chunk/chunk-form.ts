import type { Digest } from './digest.js';

/** A chunk as a manifest names it. */
export interface ChunkFacts {
  readonly digest: Digest;
  /** Length of its content. */
  readonly bytes: number;
}

/** A chunk under its name, on its way into a store. */
export interface NamedChunk {
  readonly digest: Digest;
  stored(): Promise<Uint8Array>;
}

/** How the chunks of a version are named and stored. */
export interface ChunkForm {
  /** What the manifest says of the key; undefined when the chunks are not encrypted. */
  readonly keyCheck: Buffer | undefined;
  name(content: Uint8Array): Promise<NamedChunk>;
  /** The content, verified. @throws VolumeError 'chunk-damaged' */
  open(stored: Uint8Array, chunk: ChunkFacts): Promise<Buffer>;
}
