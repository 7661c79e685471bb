import { VolumeError } from './volume-error.js';

export interface ObjectFacts {
  readonly key: string;
  /** Length as stored. */
  readonly bytes: number;
  readonly modifiedAt: Date;
}

/**
 * Immutable objects by key, strongly consistent: what one caller has put or deleted, every later `get`, `has` and `list`
 * of anyone sees. Keys are `objectKeyPattern`. All calls reject with VolumeError 'store-unavailable' when the store does
 * not answer, and with the signal's reason when the caller gives up.
 */
export interface ObjectStore {
  /**
   * Makes the object visible whole or not at all, durable when it resolves. Never overwrites: when the key exists, it
   * keeps its bytes, whatever they are, and the answer is 'existed'. Of callers that race, exactly one is told 'created'.
   */
  put(key: string, bytes: Uint8Array, options?: { signal?: AbortSignal }): Promise<PutResult>;
  /** @throws VolumeError 'object-missing' */
  get(key: string, options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  has(key: string, options?: { signal?: AbortSignal }): Promise<boolean>;
  /**
   * Objects whose key begins with `prefix`, which ends with `/` or is empty, in no special order. An object that exists
   * for as long as the listing runs is in it.
   */
  list(prefix: string, options?: { signal?: AbortSignal }): AsyncIterable<ObjectFacts>;
  /** Also when it is not there. */
  delete(key: string): Promise<void>;
  /** Removes what writers that were killed long ago left unfinished, where that takes space. Answers how many. */
  sweepUnfinished(): Promise<number>;
  /** Lets go of connections; nothing is asked afterwards. */
  close(): void;
}

export type PutResult = 'created' | 'existed';

/** Parts of lower-case letters, digits, `.`, `_` and `-`, none beginning with a dot, with slashes between. */
export const objectKeyPattern = /^[a-z0-9_-][a-z0-9._-]*(\/[a-z0-9_-][a-z0-9._-]*)*$/;

/** @throws VolumeError 'invalid': a key that could leave the store's folder never reaches a backend */
export function checkKey(key: string): void {
  if (key.length > 512 || !objectKeyPattern.test(key)) {
    throw new VolumeError('invalid', `${JSON.stringify(key)} is not a key of a volume store`);
  }
}

/** @throws VolumeError 'invalid' */
export function checkPrefix(prefix: string): void {
  if (prefix === '') return;
  if (!prefix.endsWith('/')) throw new VolumeError('invalid', `the prefix ${JSON.stringify(prefix)} must end with /`);
  checkKey(prefix.slice(0, -1));
}
