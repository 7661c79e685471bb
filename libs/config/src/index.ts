export type { AppConfig, ClientConfig, CommonConfig, LdapConfig, StandaloneConfig, StoreConfig } from './app-config.js';
export { ConfigError } from './config-error.js';
export { type ConfigReference, configReference, configTable } from './config-reference.js';
export { loadClientConfig, loadConfig, loadStandaloneConfig, loadStoreConfig, requireLdap } from './load-config.js';
export { Secret } from './secret.js';
export { storeBelow } from './store-below.js';
