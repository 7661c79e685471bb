import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadOrCreateSigningKey } from './signing-key.js';
import { loadTrustedKeys } from './trusted-keys.js';

describe('loadOrCreateSigningKey', () => {
  let dir: string;
  let path: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-signing-key-'));
    path = join(dir, 'keys/signing.pem');
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('makes a key that only its owner reads, and finds it again', async () => {
    const made = await loadOrCreateSigningKey(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await loadOrCreateSigningKey(path)).toMatchObject({ keyId: made.keyId, publicKeyPem: made.publicKeyPem });
    expect(await readdir(join(dir, 'keys'))).toEqual(['signing.pem']);
    expect(made.publicKeyPem).not.toContain('PRIVATE');
  });

  it('gives all that make it at once the same', async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, () => loadOrCreateSigningKey(path)));
    expect(new Set(keys.map(({ keyId }) => keyId)).size).toBe(1);
    expect(await readdir(join(dir, 'keys'))).toEqual(['signing.pem']);
  });

  it('takes none that others can read, and nothing that is no key; and says nothing of what is in it', async () => {
    await loadOrCreateSigningKey(path);
    await chmod(path, 0o640);
    await expect(loadOrCreateSigningKey(path)).rejects.toMatchObject({ code: 'key-invalid' });
    await chmod(path, 0o600);
    const pem = await readFile(path, 'utf8');
    await writeFile(path, pem.slice(0, 60));
    const error = await loadOrCreateSigningKey(path).catch((reason: Error) => reason);
    expect(error).toMatchObject({ code: 'key-invalid' });
    expect(inspect(error)).not.toContain(pem.slice(30, 50));
  });

  it('gives a public key that is trusted from its file', async () => {
    const { keyId, publicKeyPem } = await loadOrCreateSigningKey(path);
    await writeFile(join(dir, 'a.pem'), publicKeyPem);
    expect([...(await loadTrustedKeys([join(dir, 'a.pem')])).keys()]).toEqual([keyId]);
    await expect(loadTrustedKeys([path])).rejects.toThrow(/signing\.pem: a private key/);
  });
});
