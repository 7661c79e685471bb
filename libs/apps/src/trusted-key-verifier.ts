import type { Logger } from 'pino';
import { AppLayerError, loadTrustedKeys, type TrustedKeys, trustedKeyFiles, verifyLayer } from '#libs/app-layers';
import type { AppLayerManifest, SignedAppLayer } from '#libs/contracts';
import { DomainError, errors } from '#libs/kernel';
import { LayerVerifier } from './layer-verifier.js';

/** Trusts the public keys of a folder, as they are at the moment of the question: a key that is removed is trusted no more. */
export class TrustedKeyVerifier extends LayerVerifier {
  /** @param keysDir holds PEM files, `*.pem`; one that is not there holds none */
  constructor(
    private readonly keysDir: string,
    private readonly logger: Logger,
  ) {
    super();
  }

  async verify(document: SignedAppLayer): Promise<AppLayerManifest> {
    const keys = await this.keys();
    try {
      return verifyLayer(document, keys);
    } catch (error) {
      if (AppLayerError.is(error, 'unsigned', 'untrusted', 'tampered')) {
        throw new DomainError(errors.layerUntrusted, error.message, { cause: error });
      }
      throw error;
    }
  }

  /** A file that is no key, or half written, does not take the trust from the others. */
  private async keys(): Promise<TrustedKeys> {
    const loaded = await Promise.all(
      (await trustedKeyFiles(this.keysDir)).map(async (path) => {
        try {
          return [...(await loadTrustedKeys([path]))];
        } catch (error) {
          this.logger.warn({ err: error, path }, 'a trusted key of application layers cannot be read');
          return [];
        }
      }),
    );
    return new Map(loaded.flat());
  }
}
