export { makeSigningKey, trustKeys } from './layers/signing-key.js';
export { storeLayer } from './layers/store-layer.js';
