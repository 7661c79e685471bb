import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { type CommonConfig, loadStoreConfig } from '#libs/config';
import { type ObjectStore, openObjectStore, VolumeStore } from '#libs/volumes';
import { CliError } from '../cli-error.js';

export interface LocalStore {
  readonly config: CommonConfig;
  readonly objects: ObjectStore;
  readonly volumes: VolumeStore;
}

/**
 * Opens the volume store of the configuration for as long as `work` takes: on a host that has its credentials.
 * @param options `mustExist`: whether a store that is not there yet is a fault rather than made
 * @throws ConfigError, CliError, VolumeError
 */
export async function withVolumeStore<T>(
  env: NodeJS.ProcessEnv,
  options: { readonly mustExist: boolean },
  work: (store: LocalStore) => Promise<T>,
): Promise<T> {
  const config = loadStoreConfig(env);
  const { url, accessKey, secretKey } = config.store;
  if (options.mustExist) await requireStore(url);
  // What concerns the person comes as a report or a fault.
  const logger = pino({ level: 'silent' });
  const keys = accessKey && secretKey && { accessKeyId: accessKey.reveal(), secretAccessKey: secretKey.reveal() };
  const objects = openObjectStore(url, keys, logger);
  try {
    return await work({ config, objects, volumes: new VolumeStore({ objects, logger }) });
  } finally {
    objects.close();
  }
}

async function requireStore(url: string): Promise<void> {
  if (!url.startsWith('file:')) return;
  const folder = fileURLToPath(url);
  const facts = await stat(folder).catch((error: NodeJS.ErrnoException) => error);
  if (!(facts instanceof Error) && facts.isDirectory()) return;
  const reason = facts instanceof Error && facts.code !== 'ENOENT' ? ` (${facts.code})` : '';
  throw new CliError(
    `There is no volume store in ${folder}${reason}. This works on the provisioner's host only; name the store with ` +
      'GOLDLEAF_STORE_URL, or the state folder with GOLDLEAF_STATE_DIR.',
    'no-store',
  );
}
