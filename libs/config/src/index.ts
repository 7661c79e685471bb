export type { AppConfig, LdapConfig, StandaloneConfig, StoreConfig } from './app-config.js';
export { ConfigError } from './config-error.js';
export { type ConfigReference, configReference, configTable } from './config-reference.js';
export { loadConfig, loadStandaloneConfig, requireLdap } from './load-config.js';
export { Secret } from './secret.js';
export { storeBelow } from './store-below.js';
