import { SecretBox } from '#libs/kernel';

/** Keeps what was found in profiles unreadable in the database, each for its own row. */
export class LookupSeal {
  /** @param secretKey GOLDLEAF_SECRET_KEY, the same in all services */
  constructor(private readonly secretKey: string) {}

  seal(lookupId: string, answer: Uint8Array): Buffer {
    return this.box(lookupId).sealBytes(answer);
  }

  /** @throws Error when it was sealed for another row or with another key, or was altered */
  open(lookupId: string, sealed: Uint8Array): Buffer {
    return this.box(lookupId).openBytes(sealed);
  }

  private box(lookupId: string): SecretBox {
    return new SecretBox(this.secretKey, `goldleaf profile lookup ${lookupId}`);
  }
}
