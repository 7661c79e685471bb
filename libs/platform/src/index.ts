export { type PlatformOptions, platformModules } from './platform-modules.js';
