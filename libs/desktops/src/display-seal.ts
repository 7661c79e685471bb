import { SecretBox } from '#libs/kernel';

/** Where the gateway finds a desktop's screen. The password is secret. */
export interface DisplayTarget {
  readonly host: string;
  readonly port: number;
  readonly password: string;
}

/** Keeps display passwords unreadable in the database. */
export class DisplaySeal {
  private readonly box: SecretBox;

  /** @param secretKey GOLDLEAF_SECRET_KEY, the same in all services */
  constructor(secretKey: string) {
    this.box = new SecretBox(secretKey, 'goldleaf display password');
  }

  seal(password: string): string {
    return this.box.seal(password);
  }

  open(sealed: string): string {
    return this.box.open(sealed);
  }
}
