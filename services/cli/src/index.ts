export { type LayerFolder, readLayerFolder } from './layers/layer-folder.js';
export { makeSigningKey, trustKeys } from './layers/signing-key.js';
export { appVolume, storeLayer } from './layers/store-layer.js';
