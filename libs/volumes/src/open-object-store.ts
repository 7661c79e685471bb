import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { DirectoryObjectStore } from './directory/directory-object-store.js';
import type { ObjectStore } from './object-store.js';
import { S3ObjectStore } from './s3/s3-object-store.js';
import { VolumeError } from './volume-error.js';

/** Keys of an S3 account. Without them the SDK's own chain is asked (environment, role of the machine). */
export interface StoreCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * The store that a URL names: `file:///absolute/folder`, or `s3://bucket/prefix?endpoint=https://...&region=...`.
 * Nothing is asked of it yet. Buckets of an `endpoint` are named in the path.
 * @throws VolumeError 'invalid', without the URL in its message
 */
export function openObjectStore(url: string, credentials: StoreCredentials | undefined, logger: Logger): ObjectStore {
  if (!URL.canParse(url)) throw refuse('it is not a URL');
  const parsed = new URL(url);
  if (parsed.username !== '' || parsed.password !== '') throw refuse('credentials do not belong into it');
  if (parsed.protocol === 'file:') return openDirectory(parsed);
  if (parsed.protocol === 's3:') return openBucket(parsed, credentials, logger);
  throw refuse('it must begin with file:// or s3://');
}

function openDirectory(url: URL): ObjectStore {
  if (url.host !== '' || url.pathname === '/' || url.search !== '') throw refuse('expected file:///absolute/folder');
  return new DirectoryObjectStore(fileURLToPath(url));
}

function openBucket(url: URL, credentials: StoreCredentials | undefined, logger: Logger): ObjectStore {
  const { endpoint, region, ...others } = Object.fromEntries(url.searchParams);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw refuse(`${JSON.stringify(unknown)} is not a setting of an S3 store`);
  if (url.hostname === '') throw refuse('expected s3://bucket/prefix');
  if (endpoint !== undefined && !/^https?:$/.test(URL.canParse(endpoint) ? new URL(endpoint).protocol : '')) {
    throw refuse('its endpoint is not an http:// or https:// URL');
  }
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  return new S3ObjectStore({
    bucket: url.hostname,
    region: region ?? 'us-east-1',
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(prefix === '' ? {} : { keyPrefix: `${prefix}/` }),
    ...(credentials === undefined ? {} : { credentials }),
    logger,
  });
}

const refuse = (why: string): VolumeError =>
  new VolumeError('invalid', `the URL of the volume store cannot be used: ${why}`);
