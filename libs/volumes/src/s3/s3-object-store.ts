import { randomUUID } from 'node:crypto';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { checkKey, checkPrefix, type ObjectFacts, type ObjectStore, type PutResult } from '../object-store.js';
import { VolumeError } from '../volume-error.js';
import type { S3ObjectStoreOptions } from './s3-options.js';

interface CallOptions {
  readonly signal?: AbortSignal;
}

/**
 * Objects in a bucket. Never overwriting rests on conditional writes (`If-None-Match: *`); a server that ignores them
 * is found out before the first write, and from then on asked first whether the object exists: two that race for one
 * key are then both told 'created'. For chunks that is nothing (same key, same content); two writers that give one
 * number to different versions of one volume at the same moment are kept apart only by conditional writes.
 */
export class S3ObjectStore implements ObjectStore {
  private readonly client: S3Client;
  private conditionalPuts: Promise<boolean> | undefined;

  constructor(private readonly options: S3ObjectStoreOptions) {
    this.client = new S3Client({
      region: options.region,
      endpoint: options.endpoint,
      forcePathStyle: options.forcePathStyle ?? options.endpoint !== undefined,
      credentials: options.credentials,
      maxAttempts: options.maxAttempts ?? 4,
      requestHandler: {
        connectionTimeout: options.connectTimeoutMs ?? 3_000,
        requestTimeout: options.requestTimeoutMs ?? 15_000,
        throwOnRequestTimeout: true,
      },
    });
  }

  async put(key: string, bytes: Uint8Array, { signal }: CallOptions = {}): Promise<PutResult> {
    checkKey(key);
    signal?.throwIfAborted();
    if (!(await this.honoursConditionalPuts())) {
      if (await this.has(key, { signal })) return 'existed';
      await this.send(key, signal, () => this.putAlways(key, bytes, signal));
      return 'created';
    }
    return this.send(key, signal, () => this.putIfAbsent(key, bytes, signal));
  }

  async get(key: string, { signal }: CallOptions = {}): Promise<Uint8Array> {
    checkKey(key);
    return this.send(key, signal, async () => {
      const command = new GetObjectCommand(this.at(key));
      const { Body: body } = await this.client.send(command, { abortSignal: signal });
      if (!body) throw new VolumeError('store-unavailable', `the store answers without a body for ${key}`);
      return body.transformToByteArray();
    });
  }

  async has(key: string, { signal }: CallOptions = {}): Promise<boolean> {
    checkKey(key);
    return this.send(key, signal, async () => {
      try {
        await this.client.send(new HeadObjectCommand(this.at(key)), { abortSignal: signal });
        return true;
      } catch (error) {
        if (statusOf(error) === 404) return false;
        throw error;
      }
    });
  }

  async *list(prefix: string, { signal }: CallOptions = {}): AsyncIterable<ObjectFacts> {
    checkPrefix(prefix);
    const { bucket, keyPrefix = '' } = this.options;
    const request = { Bucket: bucket, Prefix: `${keyPrefix}${prefix}` };
    const pages = paginateListObjectsV2({ client: this.client }, request, { abortSignal: signal })[
      Symbol.asyncIterator
    ]();
    for (;;) {
      const page = await this.send(prefix, signal, () => pages.next());
      if (page.done) return;
      for (const { Key: key, Size: bytes = 0, LastModified: modifiedAt = new Date() } of page.value.Contents ?? []) {
        if (key !== undefined) yield { key: key.slice(keyPrefix.length), bytes, modifiedAt };
      }
    }
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    await this.send(key, undefined, () => this.client.send(new DeleteObjectCommand(this.at(key))));
  }

  /** An object is sent as one request: a broken one leaves nothing. */
  async sweepUnfinished(): Promise<number> {
    return 0;
  }

  close(): void {
    this.client.destroy();
  }

  /** Finds out once whether the server refuses to overwrite when it is told to. */
  honoursConditionalPuts(): Promise<boolean> {
    this.conditionalPuts ??= this.probe().catch((error: unknown) => {
      this.conditionalPuts = undefined;
      throw error;
    });
    return this.conditionalPuts;
  }

  private async probe(): Promise<boolean> {
    const key = `probes/${randomUUID()}`;
    const bytes = new TextEncoder().encode('Goldleaf asks whether this can be overwritten');
    return this.send(key, undefined, async () => {
      try {
        await this.putIfAbsent(key, bytes, undefined);
        if ((await this.putIfAbsent(key, bytes, undefined)) === 'existed') return true;
      } catch (error) {
        if (statusOf(error) !== 501) throw error;
      } finally {
        await this.delete(key);
      }
      this.options.logger.warn(
        { endpoint: this.options.endpoint },
        'the volume store has no conditional writes: write versions of one volume from one place at a time',
      );
      return false;
    });
  }

  private async putIfAbsent(key: string, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<PutResult> {
    for (let attempt = 0; ; attempt++) {
      try {
        const command = new PutObjectCommand({ ...this.at(key), Body: bytes, IfNoneMatch: '*' });
        await this.client.send(command, { abortSignal: signal });
        return 'created';
      } catch (error) {
        if (statusOf(error) === 412) return 'existed';
        // Another write of the same key is under way; its end decides.
        if (statusOf(error) !== 409 || attempt === 5) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** attempt));
      }
    }
  }

  private async putAlways(key: string, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    await this.client.send(new PutObjectCommand({ ...this.at(key), Body: bytes }), { abortSignal: signal });
  }

  private at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.options.bucket, Key: `${this.options.keyPrefix ?? ''}${key}` };
  }

  private async send<T>(what: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof VolumeError) throw error;
      if (error instanceof S3ServiceException && error.name === 'NoSuchKey') {
        throw new VolumeError('object-missing', `${what} is not in the store`, { cause: error });
      }
      const reason = error instanceof Error ? error.name : 'unknown';
      throw new VolumeError('store-unavailable', `the store fails at ${what}: ${reason}`, { cause: error });
    }
  }
}

const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
