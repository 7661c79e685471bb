import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { type BrokerFixture, startBroker } from './broker-fixture.js';

type Operation = { summary?: string; responses: Record<string, unknown>; 'x-error-codes'?: string[] };

let broker: BrokerFixture;
let document: OpenAPIObject;

beforeAll(async () => {
  broker = await startBroker();
  document = (await (await fetch(`${broker.url}/api/openapi.json`)).json()) as OpenAPIObject;
});
afterAll(() => broker?.destroy());

/** Every route that the app really has, as `GET /api/v1/pools/{name}`. */
function routesOfApp(): string[] {
  const router = broker.app.getHttpAdapter().getInstance().router as {
    stack: { route?: { path: string; methods: Record<string, boolean> } }[];
  };
  return router.stack.flatMap(({ route }) =>
    route
      ? Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${route.path.replace(/:(\w+)/g, '{$1}')}`)
      : [],
  );
}

const operations = (): [string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );

describe('/api/openapi.json', () => {
  it('has every route of the app', () => {
    const routes = routesOfApp().filter((route) => !route.endsWith('/api/openapi.json'));
    expect(routes).toContain('POST /api/v1/sessions/{id}/tickets');
    expect(
      operations()
        .map(([name]) => name)
        .sort(),
    ).toEqual(routes.sort());
  });

  it('says for every call what it is for, what it answers and what can go wrong', () => {
    for (const [name, operation] of operations()) {
      expect([name, typeof operation.summary]).toEqual([name, 'string']);
      expect([name, Object.keys(operation.responses).some((status) => status < '300')]).toEqual([name, true]);
      if (name.includes('/api/v1'))
        expect([name, operation['x-error-codes']]).toEqual([name, expect.arrayContaining(['internal'])]);
    }
  });

  it('refers only to schemas that it has, and describes bodies', () => {
    const text = JSON.stringify(document);
    const names = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map((match) => match[1] ?? '');
    expect(names).toContain('Session');
    for (const name of names) expect(document.components?.schemas).toHaveProperty(name);
    expect(JSON.stringify(document.paths['/api/v1/pools']?.post?.requestBody)).toContain('memoryMiB');
    expect(JSON.stringify(document.paths['/api/v1/audit']?.get?.parameters)).toContain('cursor');
  });
});
