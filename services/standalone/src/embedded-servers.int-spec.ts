import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { loadConfig, loadStandaloneConfig, requireLdap } from '#libs/config';
import { isPortFree } from '#libs/embedded';
import { ldapDirectoryOf } from '#services/broker';
import { EmbeddedServers } from './embedded-servers.js';

const logger = pino({ level: 'silent' });
let stateDir: string;
let servers: EmbeddedServers | undefined;

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'goldleaf-standalone-'));
  chmodSync(stateDir, 0o711);
});
afterEach(async () => {
  await servers?.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

const given = {
  DATABASE_URL: 'postgres://x@db/x',
  REDIS_URL: 'redis://cache',
  GUACD_URL: 'tcp://127.0.0.1:4822',
};
const secretKey = { GOLDLEAF_SECRET_KEY: 'x'.repeat(43) };

describe('EmbeddedServers', () => {
  it('starts all that the environment leaves open, in a way that completes the configuration', async () => {
    const environment = { GOLDLEAF_STATE_DIR: stateDir };
    servers = await EmbeddedServers.start(loadStandaloneConfig(environment), logger);
    expect(servers.names).toEqual(['demo directory', 'guacd', 'postgres', 'redis']);
    const config = loadConfig({ ...environment, ...secretKey, ...servers.environment });
    const directory = await ldapDirectoryOf(requireLdap(config), logger);
    expect(await directory.authenticate('alice', 'alice-demo')).toMatchObject({ username: 'alice' });
    await directory.close();

    const ports = JSON.parse(readFileSync(join(stateDir, 'servers/ports.json'), 'utf8')) as Record<string, number>;
    await servers.stop();
    for (const port of Object.values(ports)) expect(await isPortFree(port)).toBe(true);

    // The same addresses the next time.
    servers = await EmbeddedServers.start(loadStandaloneConfig(environment), logger);
    expect(new URL(servers.environment.DATABASE_URL ?? '').port).toBe(String(ports.postgres));
    expect(JSON.parse(readFileSync(join(stateDir, 'servers/ports.json'), 'utf8'))).toEqual(ports);
  });

  it('starts nothing that the environment names', async () => {
    const environment = { ...given, GOLDLEAF_STATE_DIR: stateDir };
    servers = await EmbeddedServers.start(loadStandaloneConfig(environment), logger);
    expect(servers.names).toEqual(['demo directory']);
    expect(Object.keys(servers.environment).every((name) => name.startsWith('LDAP_'))).toBe(true);
  });
});
