import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { AppLayerManifest } from '#libs/contracts';
import { publicKeyId } from './public-key-id.js';
import { signLayer } from './sign-layer.js';
import type { SigningKey } from './signing-key.js';
import { parseTrustedKeys } from './trusted-keys.js';
import { verifyLayer } from './verify-layer.js';

const manifest: AppLayerManifest = {
  formatVersion: 1,
  name: 'spreadsheet',
  displayName: 'Tabellen für alle',
  description: '',
  label: '1.12.55-1',
  os: { id: 'debian', versionId: '12', architecture: 'amd64' },
  base: { image: 'call-center', digest: 'd'.repeat(64) },
  volumeId: 'a'.repeat(64),
  layerBytes: 100,
  installedBytes: 200,
  entries: [{ id: 'gnumeric.desktop', name: 'Gnumeric' }],
  icon: { mediaType: 'image/png', base64: 'iVBORw0KGgo=' },
  packages: [{ name: 'gnumeric', version: '1.12.55-1' }],
};

function newKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return { privateKey, keyId: publicKeyId(publicKey), publicKeyPem };
}

const key = newKey();
const trusted = parseTrustedKeys([key.publicKeyPem]);
const codeOf = (document: unknown, keys = trusted) => {
  try {
    verifyLayer(document, keys);
    return 'taken';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('signed app layers', () => {
  it('give back the manifest that was signed', () => {
    expect(verifyLayer(JSON.parse(JSON.stringify(signLayer(manifest, key))), trusted)).toEqual(manifest);
  });

  it('are refused when any byte of the payload is another', () => {
    const document = signLayer(manifest, key);
    const bytes = Buffer.from(document.payload, 'utf8');
    const taken: number[] = [];
    for (let at = 0; at < bytes.length; at++) {
      const altered = Buffer.from(bytes);
      altered[at] = (bytes[at] ?? 0) ^ 1;
      if (codeOf({ ...document, payload: altered.toString('utf8') }) !== 'tampered') taken.push(at);
    }
    expect(taken).toEqual([]);
    for (const payload of [`${document.payload} `, ` ${document.payload}`, document.payload.slice(0, -1)]) {
      expect(codeOf({ ...document, payload })).toBe('tampered');
    }
  });

  it('are refused when any bit of the signature, or its spelling, is another', () => {
    const document = signLayer(manifest, key);
    const bytes = Buffer.from(document.signature, 'base64');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const altered = Buffer.from(bytes);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(codeOf({ ...document, signature: altered.toString('base64') })).toBe('tampered');
    }
    // The last character before the padding has bits that mean nothing.
    const last = document.signature.charAt(85);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const other = alphabet.charAt(alphabet.indexOf(last) + 1);
    const respelt = `${document.signature.slice(0, 85)}${other}==`;
    expect(Buffer.from(respelt, 'base64')).toEqual(bytes);
    expect(['tampered', 'unsigned']).toContain(codeOf({ ...document, signature: respelt }));
  });

  it('are refused when another key signed, whatever key they name', () => {
    const other = newKey();
    const document = signLayer(manifest, other);
    expect(codeOf(document)).toBe('untrusted');
    expect(codeOf(document, new Map())).toBe('untrusted');
    expect(codeOf({ ...document, keyId: key.keyId })).toBe('tampered');
    expect(
      codeOf(
        { ...signLayer(manifest, key), keyId: other.keyId },
        parseTrustedKeys([key.publicKeyPem + other.publicKeyPem]),
      ),
    ).toBe('tampered');
  });

  it.each([
    ['nothing', undefined],
    ['a bare manifest', manifest],
    ['no signature', { ...signLayer(manifest, key), signature: '' }],
    ['something more', { ...signLayer(manifest, key), note: 'x' }],
  ])('are unsigned: %s', (_what, document) => expect(codeOf(document)).toBe('unsigned'));

  it('are refused when a trusted key signed something that is no manifest', () => {
    for (const payload of ['not JSON', '{"formatVersion":2}']) {
      const signature = sign(null, Buffer.from(payload), key.privateKey).toString('base64');
      expect(codeOf({ payload, signature, keyId: key.keyId })).toBe('tampered');
    }
  });
});

describe('trusted keys', () => {
  it('are several in one text or in many', () => {
    const keys = [newKey(), newKey(), newKey()];
    const [a, b, c] = keys.map(({ publicKeyPem }) => publicKeyPem);
    expect([...parseTrustedKeys([`# ours\n${a}${b}`, c ?? '']).keys()]).toEqual(keys.map(({ keyId }) => keyId));
    expect(parseTrustedKeys([]).size).toBe(0);
  });

  it('are not private keys, keys of other kinds, or anything else', () => {
    const privatePem = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'pem' });
    const broken = key.publicKeyPem.replace('MCow', 'AAAA');
    for (const pem of [privatePem, rsa.toString(), broken, 'hello', '']) {
      expect(() => parseTrustedKeys([pem])).toThrow(expect.objectContaining({ code: 'key-invalid' }));
    }
    expect(createPublicKey(createPrivateKey(privatePem)).asymmetricKeyType).toBe('ed25519');
  });
});
