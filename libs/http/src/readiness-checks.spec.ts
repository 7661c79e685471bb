import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '#libs/telemetry';
import { ReadinessChecks } from './readiness-checks.js';

describe('ReadinessChecks', () => {
  it('names the part that is down, also one that says nothing or throws at once', async () => {
    const readiness = new ReadinessChecks(silentLogger(), 20);
    readiness.register('database', async () => 1);
    expect(await readiness.report()).toMatchObject({ status: 'ready', checks: { database: { status: 'up' } } });
    readiness.register('redis', () => new Promise(() => undefined));
    readiness.register('guacd', () => {
      throw new Error('refused');
    });
    expect(await readiness.report()).toMatchObject({
      status: 'not-ready',
      checks: { database: { status: 'up' }, redis: { status: 'down' }, guacd: { status: 'down' } },
    });
  });

  it('asks a part once for all that wait', async () => {
    const readiness = new ReadinessChecks(silentLogger());
    let asked = 0;
    readiness.register('database', async () => {
      asked += 1;
    });
    await Promise.all([readiness.report(), readiness.report()]);
    await readiness.report();
    expect(asked).toBe(2);
  });
});
