import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/** A random token of 256 bits, base64url, 43 characters. */
export const newToken = (): string => randomBytes(32).toString('base64url');

/** SHA-256 in hex: what is stored of a token. Tokens are random, so no salt or slow hash is needed. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Compares without telling by its duration where two strings differ. */
export function constantTimeEqual(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

/** Seals secrets (display passwords, ticket claims) with AES-256-GCM under a key derived from `secret`. */
export class SecretBox {
  private readonly key: Buffer;

  /** @param purpose binds the derived key to one use, so that a sealed value of one kind never opens as another. */
  constructor(secret: string, purpose: string) {
    this.key = Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
  }

  seal(plain: string): string {
    return this.sealBytes(Buffer.from(plain)).toString('base64url');
  }

  /** @throws Error when the value was made with another key or purpose, or was altered. */
  open(sealed: string): string {
    return this.openBytes(Buffer.from(sealed, 'base64url')).toString('utf8');
  }

  /** The same for what is no text. */
  sealBytes(plain: Uint8Array): Buffer {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce);
    const sealed = [cipher.update(plain), cipher.final()];
    return Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]);
  }

  /** @throws Error as `open` */
  openBytes(sealed: Uint8Array): Buffer {
    const decipher = createDecipheriv('aes-256-gcm', this.key, sealed.subarray(0, 12));
    decipher.setAuthTag(sealed.subarray(12, 28));
    return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
  }
}
