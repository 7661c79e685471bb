export { AppLayerError, type AppLayerErrorCode } from './app-layer-error.js';
export { type BuildAppLayerOptions, type BuiltAppLayer, buildAppLayer } from './build/build-app-layer.js';
export type { LeftOut } from './build/collect-layer.js';
export { signLayer } from './sign/sign-layer.js';
export { loadOrCreateSigningKey, type SigningKey } from './sign/signing-key.js';
export { loadTrustedKeys, parseTrustedKeys, type TrustedKeys } from './sign/trusted-keys.js';
export { verifyLayer } from './sign/verify-layer.js';
