import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Param, Post, Query } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import request from 'supertest';
import { z } from 'zod';
import { DomainError, errors } from '#libs/kernel';
import { createLogger, currentCorrelationId, Metrics, TelemetryModule } from '#libs/telemetry';
import { createHttpApp, HttpModule, ReadinessChecks } from './index.js';

const cookieBody = z.object({ name: z.string().min(2), crumbs: z.int() });

@Controller('api/v1')
class BakeryController {
  @Post('cookies')
  bake(@Body({ schema: cookieBody }) body: unknown) {
    return { body, correlationId: currentCorrelationId() };
  }

  @Get('cookies/:id')
  one(
    @Param('id', { schema: z.uuid() }) id: string,
    @Query({ schema: z.object({ n: z.coerce.number().default(3) }) }) q: unknown,
  ) {
    return { id, q };
  }

  @Get('fail/:kind')
  fail(@Param('kind') kind: string) {
    if (kind === 'busy') {
      throw new DomainError(errors.tooManyAttempts, undefined, { facts: { retryAfterSeconds: 30 } });
    }
    if (kind === 'lost') throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.1'), { code: 'ECONNREFUSED' });
    throw new Error('secret detail of the inside');
  }
}

const lines: string[] = [];
const logger = createLogger({ service: 'test', destination: { write: (line) => lines.push(line) } });

@Module({
  imports: [
    TelemetryModule.register({ logger, metrics: new Metrics() }),
    HttpModule.register({ allowedOrigins: [], trustProxy: false }),
  ],
  controllers: [BakeryController],
})
class BakeryModule {}

let app: NestExpressApplication;
const http = () => request(app.getHttpServer());

beforeAll(async () => {
  app = await createHttpApp(BakeryModule, { logger, trustProxy: false });
  await app.listen(0, '127.0.0.1');
});
afterAll(() => app?.close());

const expectProblem = (response: request.Response, status: number, code: string) => {
  expect(response.status).toBe(status);
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(response.body).toMatchObject({
    type: `urn:goldleaf:problem:${code}`,
    status,
    code,
    title: expect.any(String),
    correlationId: response.headers['x-correlation-id'],
  });
};

describe('an app of createHttpApp', () => {
  it('tells every kind of error as problem+json', async () => {
    const invalid = await http().post('/api/v1/cookies').send({ name: 'x' });
    expectProblem(invalid, 400, 'invalid-request');
    expect(invalid.body.errors.map((error: { path: string }) => error.path)).toEqual(['name', 'crumbs']);
    expectProblem(await http().post('/api/v1/cookies'), 400, 'invalid-request');
    const malformed = await http().post('/api/v1/cookies').type('json').send('{"name":');
    expectProblem(malformed, 400, 'invalid-request');
    expect(malformed.body.detail).toContain('valid JSON');
    const large = await http()
      .post('/api/v1/cookies')
      .send({ name: 'x'.repeat(100_000) });
    expectProblem(large, 400, 'invalid-request');
    expect(large.body.detail).toBe('The body is too large');
    expectProblem(await http().get('/api/v1/nowhere'), 404, 'not-found');
    expectProblem(await http().get('/api/v1/cookies/not-a-uuid'), 404, 'not-found');
    expectProblem(await http().get('/api/v1/cookies/%ff'), 400, 'invalid-request');
    const busy = await http().get('/api/v1/fail/busy');
    expectProblem(busy, 429, 'too-many-attempts');
    expect(busy.headers['retry-after']).toBe('30');
    expect(busy.body.retryAfterSeconds).toBe(30);
    expectProblem(await http().get('/api/v1/fail/lost'), 503, 'unavailable');
  });

  it('keeps the unexpected to itself and logs it under the correlation id', async () => {
    lines.length = 0;
    const response = await http().get('/api/v1/fail/other').set('x-correlation-id', 'from-client-1');
    expectProblem(response, 500, 'internal');
    expect(response.text).not.toContain('inside');
    expect(response.headers['x-correlation-id']).toBe('from-client-1');
    const failure = lines.map((line) => JSON.parse(line)).find((line) => line.msg === 'request failed');
    expect(failure).toMatchObject({ correlationId: 'from-client-1', err: { message: 'secret detail of the inside' } });
  });

  it('keeps the correlation id while a body is read, and makes its own when the given one is not fit for a log', async () => {
    const good = await http()
      .post('/api/v1/cookies')
      .set('x-correlation-id', 'abc-12345')
      .send({ name: 'ab', crumbs: 1 });
    expect(good.body).toEqual({ body: { name: 'ab', crumbs: 1 }, correlationId: 'abc-12345' });
    const bad = await http().get('/healthz').set('x-correlation-id', 'a b"c{}'.repeat(5));
    expect(bad.headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('hands parsed queries on', async () => {
    const id = '0b0f1a35-5f4b-4f4e-8d53-0d62c6a4b5a1';
    expect((await http().get(`/api/v1/cookies/${id}?n=7`)).body).toEqual({ id, q: { n: 7 } });
  });

  it('refuses a forged state change before it reads the body', async () => {
    const forged = await http()
      .post('/api/v1/cookies')
      .set('cookie', 'goldleaf_session=x')
      .set('origin', 'https://evil.net');
    expectProblem(forged, 403, 'origin-refused');
  });

  it('confines the portal by its headers', async () => {
    const { headers } = await http().get('/healthz');
    expect(headers['content-security-policy']).toContain("default-src 'self'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['content-security-policy']).not.toContain('upgrade-insecure-requests');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['x-powered-by']).toBeUndefined();
  });

  it('answers liveness, readiness with the part that fails, and metrics by route', async () => {
    expect((await http().get('/healthz')).body).toEqual({ status: 'alive' });
    expect((await http().get('/readyz')).status).toBe(200);
    app.get(ReadinessChecks).register('redis', () => Promise.reject(new Error('away')));
    const response = await http().get('/readyz');
    expect(response.status).toBe(503);
    expect(response.body.checks.redis.status).toBe('down');
    const metrics = await http().get('/metrics');
    expect(metrics.text).toMatch(
      /goldleaf_http_request_seconds_count\{[^}]*route="\/api\/v1\/cookies\/:id"[^}]*status="404"[^}]*\} [1-9]/,
    );
  });
});
