import { join, resolve } from 'node:path';
import { DEFAULT_RETENTION } from '#libs/contracts';
import type { AppConfig, ClientConfig, CommonConfig, LdapConfig, StandaloneConfig, StoreConfig } from './app-config.js';
import { ConfigError } from './config-error.js';
import { asSecret, readVariables, type Values } from './read-variables.js';
import { Secret } from './secret.js';
import { storeBelow } from './store-below.js';
import { variables } from './variables.js';

/**
 * The configuration of a service.
 * @throws ConfigError naming every variable that is wrong or missing
 */
export function loadConfig(env: NodeJS.ProcessEnv): AppConfig {
  const { values, faults, warnings } = readVariables(env);
  const required = (name: 'DATABASE_URL' | 'REDIS_URL' | 'GOLDLEAF_SECRET_KEY'): Secret => {
    const value = values[name];
    if (value === undefined && !faults.some((fault) => fault.startsWith(name))) {
      faults.push(`${name}: expected ${variables[name].expected}, but it is not set`);
    }
    return new Secret(value ?? '');
  };
  const config: AppConfig = {
    ...commonConfig(values, faults, warnings),
    databaseUrl: required('DATABASE_URL'),
    redisUrl: required('REDIS_URL'),
    secretKey: required('GOLDLEAF_SECRET_KEY'),
    guacd: values.GUACD_URL ?? { host: '127.0.0.1', port: 4822 },
  };
  return checked(config, faults);
}

/**
 * The configuration of `npm start`, where servers may be left to Goldleaf itself.
 * @throws ConfigError naming every variable that is wrong, or LDAP_URL when production would run the demo directory
 */
export function loadStandaloneConfig(env: NodeJS.ProcessEnv): StandaloneConfig {
  const { values, faults, warnings } = readVariables(env);
  const config: StandaloneConfig = {
    ...commonConfig(values, faults, warnings),
    databaseUrl: asSecret(values.DATABASE_URL),
    redisUrl: asSecret(values.REDIS_URL),
    secretKey: asSecret(values.GOLDLEAF_SECRET_KEY),
    guacd: values.GUACD_URL,
    demoApps: values.GOLDLEAF_DEMO_APPS === 'on',
  };
  if (config.production && !config.ldap && !faults.some((fault) => fault.startsWith('LDAP_'))) {
    faults.push('LDAP_URL: expected a real directory, as NODE_ENV is production and the demo accounts are public');
  }
  return checked(config, faults);
}

/**
 * What commands on a provisioner's host need, which open the store but no server.
 * @throws ConfigError naming every variable that is wrong
 */
export function loadStoreConfig(env: NodeJS.ProcessEnv): CommonConfig {
  const { values, faults, warnings } = readVariables(env);
  return checked(commonConfig(values, faults, warnings), faults);
}

/** @throws ConfigError when GOLDLEAF_URL is wrong; what else is wrong concerns the services */
export function loadClientConfig(env: NodeJS.ProcessEnv): ClientConfig {
  const { GOLDLEAF_URL, GOLDLEAF_TOKEN_FILE } = env;
  const { values, faults } = readVariables({ GOLDLEAF_URL, GOLDLEAF_TOKEN_FILE });
  return checked({ url: values.GOLDLEAF_URL, tokenFile: values.GOLDLEAF_TOKEN_FILE }, faults);
}

/** The directory's configuration, for the service that needs it. @throws ConfigError when LDAP_URL is not set */
export function requireLdap(config: Pick<AppConfig, 'ldap'>): LdapConfig {
  if (!config.ldap) throw new ConfigError([`LDAP_URL: expected ${variables.LDAP_URL.expected}, but it is not set`]);
  return config.ldap;
}

function commonConfig(values: Values, faults: string[], warnings: string[]): CommonConfig {
  return {
    production: values.NODE_ENV === 'production',
    host: values.GOLDLEAF_HOST ?? '',
    port: values.GOLDLEAF_PORT ?? 0,
    publicOrigins: values.GOLDLEAF_PUBLIC_ORIGINS ?? [],
    trustProxy: values.GOLDLEAF_TRUST_PROXY ?? false,
    stateDir: resolve(values.GOLDLEAF_STATE_DIR ?? ''),
    logLevel: values.GOLDLEAF_LOG_LEVEL ?? 'info',
    tunnelUrl: values.GOLDLEAF_TUNNEL_URL ?? '',
    adminRole: values.GOLDLEAF_ADMIN_ROLE ?? '',
    accelerator: values.GOLDLEAF_ACCELERATOR ?? 'auto',
    driver: values.GOLDLEAF_DRIVER ?? 'qemu',
    hostName: values.GOLDLEAF_HOST_NAME ?? '',
    store: storeConfig(values, faults),
    appKeysDir: resolve(values.GOLDLEAF_APP_KEYS_DIR ?? join(values.GOLDLEAF_STATE_DIR ?? '', 'app-keys')),
    profileMasterKey: asSecret(values.GOLDLEAF_PROFILE_MASTER_KEY),
    formerProfileMasterKeys: (values.GOLDLEAF_PROFILE_FORMER_MASTER_KEYS ?? []).map((key) => new Secret(key)),
    profileRetention: values.GOLDLEAF_PROFILE_RETENTION ?? DEFAULT_RETENTION,
    ldap: ldapConfig(values, faults),
    warnings,
  };
}

function storeConfig(values: Values, faults: string[]): StoreConfig {
  const accessKey = asSecret(values.GOLDLEAF_STORE_ACCESS_KEY);
  const secretKey = asSecret(values.GOLDLEAF_STORE_SECRET_KEY);
  if ((accessKey === undefined) !== (secretKey === undefined)) {
    faults.push('GOLDLEAF_STORE_SECRET_KEY: expected together with GOLDLEAF_STORE_ACCESS_KEY, or neither');
  }
  const cacheBytes = (values.GOLDLEAF_STORE_CACHE_MIB ?? 0) * 1024 * 1024;
  const own = storeBelow(resolve(values.GOLDLEAF_STATE_DIR ?? ''), cacheBytes);
  return { ...own, url: values.GOLDLEAF_STORE_URL ?? own.url, accessKey, secretKey };
}

function ldapConfig(values: Values, faults: string[]): LdapConfig | undefined {
  const urls = values.LDAP_URL;
  if (!urls) {
    // Settings for a directory that nobody named: a forgotten LDAP_URL would silently sign in the demo accounts.
    const orphan = (['LDAP_USER_BASE_DN', 'LDAP_GROUP_BASE_DN', 'LDAP_BIND_DN'] as const).find((name) => values[name]);
    if (orphan && faults.length === 0) {
      faults.push(`LDAP_URL: expected ${variables.LDAP_URL.expected}, as ${orphan} is set`);
    }
    return undefined;
  }
  for (const name of ['LDAP_USER_BASE_DN', 'LDAP_GROUP_BASE_DN'] as const) {
    if (!values[name]) faults.push(`${name}: expected ${variables[name].expected}, as LDAP_URL is set`);
  }
  if ((values.LDAP_BIND_DN === undefined) !== (values.LDAP_BIND_PASSWORD === undefined)) {
    faults.push('LDAP_BIND_PASSWORD: expected together with LDAP_BIND_DN, or neither');
  }
  if (values.LDAP_STARTTLS && urls.some((url) => url.startsWith('ldaps:'))) {
    faults.push('LDAP_STARTTLS: expected false with ldaps:// in LDAP_URL, which is encrypted already');
  }
  return {
    urls,
    bindDn: values.LDAP_BIND_DN,
    bindPassword: asSecret(values.LDAP_BIND_PASSWORD),
    userBaseDn: values.LDAP_USER_BASE_DN ?? '',
    groupBaseDn: values.LDAP_GROUP_BASE_DN ?? '',
    userAttribute: values.LDAP_USER_ATTRIBUTE ?? '',
    displayNameAttribute: values.LDAP_DISPLAY_NAME_ATTRIBUTE ?? '',
    startTls: values.LDAP_STARTTLS ?? false,
    caFile: values.LDAP_CA_FILE,
    timeoutMs: values.LDAP_TIMEOUT_MS ?? 0,
  };
}

function checked<T extends object>(config: T, faults: readonly string[]): T {
  if (faults.length > 0) throw new ConfigError(faults);
  return deepFreeze(config);
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) deepFreeze(part);
  return Object.freeze(value);
}
