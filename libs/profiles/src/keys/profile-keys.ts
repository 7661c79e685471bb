import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Of master keys and of the keys of volumes. */
export const PROFILE_KEY_BYTES = 32;

const FORMAT = 1;
const [ID_BYTES, NONCE_BYTES, TAG_BYTES] = [8, 12, 16];
const HEADER_BYTES = 1 + ID_BYTES;
const WRAPPED_BYTES = HEADER_BYTES + NONCE_BYTES + TAG_BYTES + PROFILE_KEY_BYTES;

/** A key cannot be unwrapped: the profile cannot be read here. */
export class ProfileKeyError extends Error {
  constructor(
    readonly code: 'unknown-master-key' | 'damaged' | 'bad-master-key',
    message: string,
  ) {
    super(message);
    this.name = 'ProfileKeyError';
  }
}

/** A master key as configuration has it: base64 of 32 bytes. @throws ProfileKeyError `bad-master-key`; says nothing of the value */
export function parseMasterKey(text: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== PROFILE_KEY_BYTES || key.toString('base64') !== text.trim()) {
    throw new ProfileKeyError('bad-master-key', `A master key is the base64 of ${PROFILE_KEY_BYTES} bytes`);
  }
  return key;
}

interface MasterKey {
  readonly id: Buffer;
  readonly wrapping: Buffer;
}

/**
 * Wraps the keys of profile volumes with AES-256-GCM under the master key, each bound to its volume: a row's key put
 * into another row does not open. The wrapped form is format (1), id of the master key (8), nonce (12), tag (16), key.
 */
export class ProfileKeys {
  private readonly current: MasterKey;
  private readonly all: readonly MasterKey[];

  /**
   * @param masterKey 32 bytes, secret; new keys are wrapped with it
   * @param former master keys that still open what they have wrapped, until all is rewrapped
   */
  constructor(masterKey: Buffer, former: readonly Buffer[] = []) {
    this.current = derive(masterKey);
    this.all = [this.current, ...former.map(derive)];
  }

  /** Whether there are former master keys. */
  get hasFormer(): boolean {
    return this.all.length > 1;
  }

  /** A random key for a volume, wrapped. */
  make(volumeId: string): Buffer {
    return this.wrap(volumeId, randomBytes(PROFILE_KEY_BYTES));
  }

  wrap(volumeId: string, key: Buffer): Buffer {
    const header = Buffer.concat([Buffer.of(FORMAT), this.current.id]);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.current.wrapping, nonce);
    cipher.setAAD(boundTo(header, volumeId));
    const sealed = Buffer.concat([cipher.update(key), cipher.final()]);
    return Buffer.concat([header, nonce, cipher.getAuthTag(), sealed]);
  }

  /** The key of the volume, secret. @throws ProfileKeyError `unknown-master-key`, `damaged` */
  unwrap(volumeId: string, wrapped: Buffer): Buffer {
    if (wrapped.length !== WRAPPED_BYTES || wrapped[0] !== FORMAT) throw damaged();
    const header = wrapped.subarray(0, HEADER_BYTES);
    const master = this.all.find(({ id }) => id.equals(header.subarray(1)));
    if (!master) throw new ProfileKeyError('unknown-master-key', 'The key was wrapped by a master key not known here');
    const [tagAt, sealedAt] = [HEADER_BYTES + NONCE_BYTES, HEADER_BYTES + NONCE_BYTES + TAG_BYTES];
    const decipher = createDecipheriv('aes-256-gcm', master.wrapping, wrapped.subarray(HEADER_BYTES, tagAt));
    decipher.setAAD(boundTo(header, volumeId));
    decipher.setAuthTag(wrapped.subarray(tagAt, sealedAt));
    try {
      return Buffer.concat([decipher.update(wrapped.subarray(sealedAt)), decipher.final()]);
    } catch {
      throw damaged();
    }
  }

  /** Whether it was wrapped by the present master key. */
  isCurrent(wrapped: Buffer): boolean {
    return wrapped.subarray(1, HEADER_BYTES).equals(this.current.id);
  }

  /** The same key under the present master key. @throws ProfileKeyError */
  rewrap(volumeId: string, wrapped: Buffer): Buffer {
    return this.wrap(volumeId, this.unwrap(volumeId, wrapped));
  }
}

const damaged = () => new ProfileKeyError('damaged', 'The wrapped key is damaged or belongs to another volume');

const boundTo = (header: Buffer, volumeId: string) => Buffer.concat([header, Buffer.from(volumeId)]);

function derive(masterKey: Buffer): MasterKey {
  if (masterKey.length !== PROFILE_KEY_BYTES) {
    throw new ProfileKeyError('bad-master-key', `A master key has ${PROFILE_KEY_BYTES} bytes`);
  }
  const sub = (purpose: string, length: number) => Buffer.from(hkdfSync('sha256', masterKey, '', purpose, length));
  return {
    id: sub('goldleaf profile master key id', ID_BYTES),
    wrapping: sub('goldleaf profile key wrapping', PROFILE_KEY_BYTES),
  };
}
