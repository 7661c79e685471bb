import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigError } from './config-error.js';
import { loadClientConfig, loadConfig, loadStandaloneConfig, loadStoreConfig, requireLdap } from './load-config.js';

const servers = {
  DATABASE_URL: 'postgres://me:hidden1@db/goldleaf',
  REDIS_URL: 'redis://:hidden2@cache:6379/0',
  GOLDLEAF_SECRET_KEY: 'hidden3-hidden3-hidden3-hidden3-hidden3',
};
const ldap = {
  LDAP_URL: 'ldaps://one.example.org, ldaps://two.example.org',
  LDAP_BIND_DN: 'cn=reader,dc=example',
  LDAP_BIND_PASSWORD: 'hidden4',
  LDAP_USER_BASE_DN: 'ou=people,dc=example',
  LDAP_GROUP_BASE_DN: 'ou=groups,dc=example',
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'goldleaf-config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function faultsOf(load: () => unknown): readonly string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  it('fills in the defaults', () => {
    const config = loadConfig(servers);
    expect(config).toMatchObject({ host: '127.0.0.1', port: 8080, tunnelUrl: '/tunnel', trustProxy: false });
    expect(config).toMatchObject({ publicOrigins: [], accelerator: 'auto', production: false, ldap: undefined });
    expect(config.guacd).toEqual({ host: '127.0.0.1', port: 4822 });
    expect(config.databaseUrl.reveal()).toBe(servers.DATABASE_URL);
  });

  it('reads lists, numbers and addresses', () => {
    const config = loadConfig({
      ...servers,
      ...ldap,
      GOLDLEAF_PORT: '9000',
      GOLDLEAF_TRUST_PROXY: '2',
      GUACD_URL: 'tcp://[::1]:4900',
      GOLDLEAF_PUBLIC_ORIGINS: 'https://a.example,https://b.example:8443',
    });
    const proxies = 'loopback, 10.0.0.0/8,fe80::1';
    expect(loadConfig({ ...servers, GOLDLEAF_TRUST_PROXY: proxies }).trustProxy).toBe(proxies);
    expect(config).toMatchObject({ port: 9000, trustProxy: 2, guacd: { host: '::1', port: 4900 } });
    expect(config.publicOrigins).toEqual(['https://a.example', 'https://b.example:8443']);
    expect(requireLdap(config).urls).toEqual(['ldaps://one.example.org', 'ldaps://two.example.org']);
  });

  it('keeps volumes below the state folder, or in the bucket that is named', () => {
    const own = loadConfig({ ...servers, GOLDLEAF_STATE_DIR: '/srv/gold leaf' }).store;
    expect(own).toMatchObject({ url: 'file:///srv/gold%20leaf/store', accessKey: undefined, cacheBytes: 2 ** 31 });
    const { store } = loadConfig({
      ...servers,
      GOLDLEAF_STORE_URL: 's3://volumes/site?region=eu',
      GOLDLEAF_STORE_ACCESS_KEY: 'hidden9',
      GOLDLEAF_STORE_SECRET_KEY: 'hidden10',
    });
    expect(store.url).toBe('s3://volumes/site?region=eu');
    expect(store.secretKey?.reveal()).toBe('hidden10');
    expect(JSON.stringify(store)).not.toContain('hidden');
  });

  it('reads how much is kept of profiles; what is left out is as by default', () => {
    const read = (GOLDLEAF_PROFILE_RETENTION: string) =>
      loadConfig({ ...servers, GOLDLEAF_PROFILE_RETENTION }).profileRetention;
    expect(read('')).toEqual({ last: 10, days: 14, weeks: 8, damagedDays: 30 });
    expect(read('last=10,days=14,weeks=8,damaged-days=30')).toEqual(read(''));
    expect(read('damaged-days=0, last=3')).toEqual({ last: 3, days: 14, weeks: 8, damagedDays: 0 });
    expect(faultsOf(() => read('last=0'))).toEqual([
      'GOLDLEAF_PROFILE_RETENTION: expected last (1 to 1000), days (0 to 3650), weeks (0 to 520) and damaged-days ' +
        '(0 to 3650), such as last=10,days=14,weeks=8,damaged-days=30',
    ]);
  });

  it('names every wrong or missing variable at once and prints no value', () => {
    const faults = faultsOf(() =>
      loadConfig({
        ...ldap,
        DATABASE_URL: 'mysql://hidden5@db',
        GOLDLEAF_PORT: 'hidden6',
        GOLDLEAF_PUBLIC_ORIGINS: 'https://hidden7.example/path',
        GOLDLEAF_SECRET_KEY: 'hidden8',
        LDAP_STARTTLS: 'true',
        LDAP_USER_BASE_DN: '',
      }),
    );
    expect(faults.map((fault) => fault.split(':')[0]).sort()).toEqual([
      'DATABASE_URL',
      'GOLDLEAF_PORT',
      'GOLDLEAF_PUBLIC_ORIGINS',
      'GOLDLEAF_SECRET_KEY',
      'LDAP_STARTTLS',
      'LDAP_USER_BASE_DN',
      'REDIS_URL',
    ]);
    expect(faults.join()).not.toContain('hidden');
    expect(faults).toContain('GOLDLEAF_PORT: expected a whole number from 1 to 65535');
  });

  it.each([
    ['GOLDLEAF_PORT', '0'],
    ['GOLDLEAF_PORT', '65536'],
    ['GOLDLEAF_PORT', '80a'],
    ['GOLDLEAF_TUNNEL_URL', '//evil.example/x'],
    ['GOLDLEAF_TUNNEL_URL', 'https://x.example'],
    ['GUACD_URL', '127.0.0.1:4822'],
    ['GUACD_URL', 'tcp://:4822'],
    ['GOLDLEAF_ACCELERATOR', 'hvf'],
    ['LDAP_TIMEOUT_MS', '5'],
    ['GOLDLEAF_STORE_URL', 'https://bucket.example'],
    ['GOLDLEAF_STORE_URL', 'file:///'],
    ['GOLDLEAF_STORE_URL', 'file://host/folder'],
    ['GOLDLEAF_STORE_URL', 's3://me:word@bucket'],
    ['GOLDLEAF_STORE_CACHE_MIB', '1'],
    ['GOLDLEAF_PROFILE_RETENTION', '10'],
    ['GOLDLEAF_PROFILE_RETENTION', 'last=10,months=3'],
    ['GOLDLEAF_PROFILE_RETENTION', 'last=10,last=20'],
    ['GOLDLEAF_PROFILE_RETENTION', 'days=-1'],
    ['GOLDLEAF_PROFILE_RETENTION', 'weeks=521'],
    ['GOLDLEAF_PROFILE_RETENTION', 'damaged-days='],
    ['GOLDLEAF_STORE_SECRET_KEY', 'without the other'],
    ['GOLDLEAF_PUBLIC_ORIGINS', '*'],
    ['GOLDLEAF_TRUST_PROXY', 'true'],
    ['GOLDLEAF_TRUST_PROXY', '10.0.0.0/33'],
    ['GOLDLEAF_TRUST_PROXY', 'loopback,proxy.example'],
    ['LDAP_CA_FILE', '/none'],
    ['LDAP_CA_FILE', '/dev/null'],
  ])('refuses %s=%s', (name, value) => {
    expect(faultsOf(() => loadConfig({ ...servers, [name]: value }))[0]).toMatch(new RegExp(`^${name}: expected`));
  });

  it('takes secrets from files, and says so when both or an unreadable file are given', () => {
    const file = join(folder, 'url');
    writeFileSync(file, `${servers.DATABASE_URL}\n`);
    const { DATABASE_URL, ...others } = servers;
    expect(loadConfig({ ...others, DATABASE_URL_FILE: file }).databaseUrl.reveal()).toBe(DATABASE_URL);
    expect(faultsOf(() => loadConfig({ ...servers, DATABASE_URL_FILE: file }))[0]).toContain('not both');
    expect(faultsOf(() => loadConfig({ ...others, DATABASE_URL_FILE: '/none' }))[0]).toMatch(/^DATABASE_URL_FILE: /);
  });

  it('takes master keys of profiles as base64, also as `npm start` writes them', () => {
    const [present, ...former] = [255, 254, 253].map((byte) => Buffer.alloc(32, byte));
    const file = join(folder, 'former');
    writeFileSync(file, `${former.map((key) => key.toString('base64url')).join('\n')}\n`);
    const config = loadConfig({
      ...servers,
      GOLDLEAF_PROFILE_MASTER_KEY: present?.toString('base64'),
      GOLDLEAF_PROFILE_FORMER_MASTER_KEYS_FILE: file,
    });
    const { profileMasterKey, formerProfileMasterKeys } = config;
    expect([profileMasterKey, ...formerProfileMasterKeys].map((key) => key?.reveal())).toEqual(
      [present, ...former].map((key) => key?.toString('base64')),
    );
  });

  it('shows no secret when printed, and cannot be altered', () => {
    const config = loadConfig({ ...servers, ...ldap });
    expect(JSON.stringify(config) + inspect(config, { depth: 9, showHidden: true }) + String(config.redisUrl))
      .not //
      .toContain('hidden');
    expect(() => Object.assign(config.guacd, { port: 1 })).toThrow(TypeError);
    expect(() => (config.publicOrigins as string[]).push('x')).toThrow(TypeError);
  });

  it('warns of a variable that nobody reads', () => {
    expect(loadConfig({ ...servers, GOLDLEAF_PROT: '1' }).warnings).toEqual([
      'GOLDLEAF_PROT means nothing to Goldleaf: a typing error?',
    ]);
  });
});

describe('loadStandaloneConfig', () => {
  it('leaves to us what is not set', () => {
    expect(loadStandaloneConfig({})).toMatchObject({ databaseUrl: undefined, guacd: undefined, secretKey: undefined });
  });

  it('refuses the demo directory in production', () => {
    expect(faultsOf(() => loadStandaloneConfig({ NODE_ENV: 'production' }))[0]).toMatch(/^LDAP_URL: /);
    expect(faultsOf(() => loadStandaloneConfig({ NODE_ENV: 'production', ...ldap }))).toEqual([]);
  });

  it('does not fall back to the demo directory when only LDAP_URL was forgotten', () => {
    const { LDAP_URL, ...others } = ldap;
    expect(faultsOf(() => loadStandaloneConfig(others))[0]).toMatch(/^LDAP_URL: /);
    expect(LDAP_URL).toBeDefined();
  });
});

describe('what the command line reads', () => {
  it('needs no server on the host of a provisioner', () => {
    expect(loadStoreConfig({ GOLDLEAF_STATE_DIR: '/state' })).toMatchObject({
      stateDir: '/state',
      store: { url: 'file:///state/store' },
      appKeysDir: '/state/app-keys',
    });
    expect(faultsOf(() => loadStoreConfig({ GOLDLEAF_STORE_URL: 'ftp://x' }))[0]).toMatch(/^GOLDLEAF_STORE_URL: /);
  });

  it('minds nothing but its own variables as a client', () => {
    const url = 'https://desktops.example.org';
    expect(loadClientConfig({ GOLDLEAF_URL: url, GOLDLEAF_PORT: 'x' })).toEqual({ url, tokenFile: undefined });
    expect(faultsOf(() => loadClientConfig({ GOLDLEAF_URL: 'desktops.example.org' }))[0]).toMatch(/^GOLDLEAF_URL: /);
  });
});
