import {
  hostSigningKeyPath,
  loadHostSigningKey,
  loadTrustedKeys,
  makeHostSigningKey,
  trustedKeyFiles,
  trustKeys,
} from '#libs/app-layers';
import { loadStoreConfig } from '#libs/config';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { readTextFile } from '../read-text-file.js';
import { facts } from '../text/table.js';

/** Makes the key that signs layers on this host; an existing one stays. */
export async function createKey({ env }: CommandContext): Promise<CommandResult> {
  const config = loadStoreConfig(env);
  const { keyId, publicKeyPem, isNew } = await makeHostSigningKey(config.stateDir);
  const path = hostSigningKeyPath(config.stateDir);
  const isTrusted = (await trustedKeys(config.appKeysDir)).has(keyId);
  const made = isNew
    ? `Made the signing key ${keyId} in ${path}`
    : `The signing key ${keyId} was there already, in ${path}`;
  return {
    document: { keyId, publicKeyPem, path, isNew, isTrusted },
    text: isTrusted
      ? made
      : `${made}\nNot trusted yet: goldleaf key trust; on other hosts goldleaf key trust FILE with\n${publicKeyPem.trim()}`,
  };
}

/** The public half, for other hosts. */
export async function showKey({ env }: CommandContext): Promise<CommandResult> {
  const config = loadStoreConfig(env);
  const trusted = await trustedKeys(config.appKeysDir);
  const { keyId, publicKeyPem } = await loadHostSigningKey(config.stateDir);
  return {
    document: { keyId, publicKeyPem, isTrusted: trusted.has(keyId), trusted: [...trusted.keys()] },
    text: `${facts([
      ['Key', keyId],
      ['Trusted here', trusted.has(keyId) ? 'yes' : 'no: goldleaf key trust'],
      ['All trusted', [...trusted.keys()].join(', ') || 'none'],
    ])}\n\n${publicKeyPem.trim()}`,
  };
}

/** Lets the services of this host take layers that a key signed. @param file with public keys in PEM; without it, the own one */
export async function trustKey({ env }: CommandContext, file: string | undefined): Promise<CommandResult> {
  const config = loadStoreConfig(env);
  const pem = file === undefined ? (await loadHostSigningKey(config.stateDir)).publicKeyPem : await readTextFile(file);
  const keyIds = await trustKeys(config.appKeysDir, pem);
  return {
    document: { keyIds, folder: config.appKeysDir },
    text: `Trusted from now on: ${keyIds.join(', ')} (in ${config.appKeysDir})`,
  };
}

const trustedKeys = async (keysDir: string) => loadTrustedKeys(await trustedKeyFiles(keysDir));
