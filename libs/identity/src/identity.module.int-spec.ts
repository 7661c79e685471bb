import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AuditModule } from '#libs/audit';
import { BusModule, MessageBus } from '#libs/bus';
import type { BusMessage } from '#libs/contracts';
import { DatabaseModule } from '#libs/database';
import {
  type EmbeddedDirectory,
  embeddedGroupBaseDn,
  embeddedServiceDn,
  embeddedUserBaseDn,
  LdapDirectory,
  startEmbeddedDirectory,
} from '#libs/directory';
import { silentLogger, TelemetryModule } from '#libs/telemetry';
import { createTestDatabase, createTestRedis, type TestDatabase, type TestRedis } from '#libs/testing';
import { ApiSessionService } from './api-session-service.js';
import { IdentityModule } from './identity.module.js';
import { SignInService } from './sign-in-service.js';

describe('IdentityModule', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let server: EmbeddedDirectory;
  let directory: LdapDirectory;
  let app: INestApplicationContext;

  beforeAll(async () => {
    [database, redis] = [await createTestDatabase(), await createTestRedis()];
    const service = { serviceDn: embeddedServiceDn, servicePassword: 'service-secret' };
    server = await startEmbeddedDirectory({ port: 0, ...service });
    const bases = { userBaseDn: embeddedUserBaseDn, groupBaseDn: embeddedGroupBaseDn };
    const account = { bindDn: service.serviceDn, bindPassword: service.servicePassword };
    const logger = silentLogger();
    directory = new LdapDirectory({ urls: [server.url], ...bases, ...account }, logger);
    const module = await Test.createTestingModule({
      imports: [
        TelemetryModule.register({ logger }),
        DatabaseModule.register(database.dataSource),
        BusModule.register({ url: redis.url, logger }),
        AuditModule,
        IdentityModule.register({ adminRole: 'it-admins', directory }),
      ],
    }).compile();
    app = await module.init();
  });
  afterAll(async () => {
    await app?.close();
    await directory?.close();
    await server?.close();
    await redis?.destroy();
    await database?.destroy();
  });

  it('signs a demo account in and out, and tells the bus', async () => {
    const messages: BusMessage[] = [];
    const bus = app.get(MessageBus);
    const stop = bus.subscribe((message) => messages.push(message));
    await bus.ready();
    const sessions = app.get(ApiSessionService);
    const { token, principal } = await app.get(SignInService).signIn({ username: 'ivan', password: 'ivan-demo' });
    expect(principal).toMatchObject({
      username: 'ivan',
      displayName: 'Ivan Ivory',
      roles: ['it-admins'],
      isAdmin: true,
    });
    expect(await sessions.authenticate(token)).toEqual(principal);
    await sessions.revoke(token);
    expect(await sessions.authenticate(token)).toBeUndefined();
    const deadline = Date.now() + 1_000;
    const isTold = () =>
      messages.some((message) => message.type === 'sign-out' && message.tokenHash === principal.tokenHash);
    while (!isTold() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(isTold()).toBe(true);
    stop();
  });
});
