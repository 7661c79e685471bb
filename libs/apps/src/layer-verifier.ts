import type { AppLayerManifest, SignedAppLayer } from '#libs/contracts';

/** Tells whether a layer document was signed with a key that this site trusts. */
export abstract class LayerVerifier {
  /** @returns what was signed @throws DomainError `layer-untrusted` when it was not, or not by a trusted key */
  abstract verify(document: SignedAppLayer): Promise<AppLayerManifest>;
}
