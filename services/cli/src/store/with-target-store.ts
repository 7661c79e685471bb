import { pino } from 'pino';
import { ConfigError, loadStoreConfig } from '#libs/config';
import { type ObjectStore, openObjectStore } from '#libs/volumes';
import { CliError, UsageError } from '../cli-error.js';

const names = ['ACCESS_KEY', 'ACCESS_KEY_FILE', 'SECRET_KEY', 'SECRET_KEY_FILE'] as const;

/**
 * Opens another store for as long as `work` takes. Its keys are those of `GOLDLEAF_TARGET_STORE_ACCESS_KEY` and
 * `..._SECRET_KEY`, or their `_FILE`s; never those of the own store.
 * @param own URL of the own store, where that cannot be meant; else null
 * @throws UsageError, ConfigError, CliError, VolumeError
 */
export async function withTargetStore<T>(
  env: NodeJS.ProcessEnv,
  url: string,
  own: string | null,
  work: (objects: ObjectStore) => Promise<T>,
): Promise<T> {
  const store = configOf(env, url);
  if (own !== null && sameStore(store.url, own)) throw new UsageError('That is this very store: name another one');
  const { accessKey, secretKey } = store;
  const keys = accessKey && secretKey && { accessKeyId: accessKey.reveal(), secretAccessKey: secretKey.reveal() };
  const objects = openObjectStore(store.url, keys, pino({ level: 'silent' }));
  try {
    return await work(objects);
  } finally {
    objects.close();
  }
}

function configOf(env: NodeJS.ProcessEnv, url: string) {
  const target: NodeJS.ProcessEnv = { GOLDLEAF_STORE_URL: url };
  for (const name of names) target[`GOLDLEAF_STORE_${name}`] = env[`GOLDLEAF_TARGET_STORE_${name}`];
  try {
    return loadStoreConfig(target).store;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // What it knows under other names.
    const faults = error.faults.map((fault) =>
      fault.replace('GOLDLEAF_STORE_URL', 'the other store').replaceAll('GOLDLEAF_STORE_', 'GOLDLEAF_TARGET_STORE_'),
    );
    throw new CliError(faults.join('\n'), 'config-invalid');
  }
}

const sameStore = (one: string, other: string): boolean => normal(one) === normal(other);

const normal = (url: string): string => new URL(url).href.replace(/\/+(?=$|\?)/, '');
