import { describe, expect, it } from '@jest/globals';
import { acceptCorrelationId, runWithCorrelation } from './correlation.js';
import { createLogger } from './logger.js';
import { NestLogger } from './nest-logger.js';

function capture() {
  const lines: string[] = [];
  const logger = createLogger({ service: 'test', level: 'trace', destination: { write: (line) => lines.push(line) } });
  return { logger, last: () => JSON.parse(lines.at(-1) ?? '{}'), text: () => lines.join('') };
}

describe('createLogger', () => {
  it('never writes a secret, however deep or spelt', () => {
    const { logger, text, last } = capture();
    logger.info(
      {
        password: 'SECRET1',
        headers: { Authorization: 'SECRET2', 'set-cookie': ['SECRET3'], Cookie: 'SECRET4' },
        list: [{ displayPassword: 'SECRET5' }, { a: { b: { c: { ticket: 'SECRET6', API_TOKEN: 'SECRET7' } } } }],
        err: Object.assign(new Error('no'), { config: { clientSecret: 'SECRET8' } }),
        keystrokes: Buffer.from('SECRET9'),
      },
      'GET /tunnel?ticket=SECRET10 with Bearer SECRET1111 to postgres://me:SECRET12@db/x',
    );
    logger.child({ token: 'SECRET13' }).info({ cause: new Error('x', { cause: { secret: 'SECRET14' } }) });
    logger.error(new Error('redis://:SECRET15@localhost:1/ refused'));
    expect(text()).not.toContain('SECRET');
    expect(last().err).toMatchObject({ type: 'Error', message: 'redis://:[redacted]@localhost:1/ refused' });
  });

  it('keeps what only describes a secret, and the cause of an error', () => {
    const { logger, last } = capture();
    logger.warn({ tokenHash: 'abc', err: new Error('outer', { cause: new TypeError('inner') }) }, 'hm');
    expect(last()).toMatchObject({
      level: 'warn',
      service: 'test',
      msg: 'hm',
      tokenHash: 'abc',
      err: { message: 'outer', cause: { type: 'TypeError', message: 'inner' } },
    });
  });

  it('survives what cannot be written as JSON', () => {
    const { logger, last } = capture();
    const loop: Record<string, unknown> = { big: 2n, map: new Map() };
    loop.self = loop;
    logger.info({ loop }, 'odd');
    expect(last().loop).toEqual({ big: '2', map: '[Map]', self: '[circular]' });
  });

  it('carries the correlation id across awaits, and none outside', async () => {
    const { logger, last } = capture();
    await runWithCorrelation('job-12345678', async () => {
      await new Promise(setImmediate);
      logger.info('inside');
    });
    expect(last().correlationId).toBe('job-12345678');
    logger.info('outside');
    expect(last().correlationId).toBeUndefined();
  });

  it('speaks for Nest', () => {
    const { logger, last } = capture();
    new NestLogger(logger).error('failed', 'at stack', 'Router');
    expect(last()).toMatchObject({ level: 'error', msg: 'failed', context: 'Router', details: ['at stack'] });
  });
});

describe('acceptCorrelationId', () => {
  it('takes short plain ids only', () => {
    expect(acceptCorrelationId('a1b2c3d4-req.7')).toBe('a1b2c3d4-req.7');
    for (const bad of ['short', 'x'.repeat(65), 'line\nfeed-feed', 'a b c d e f', '"quoted-id"', undefined, ['a']]) {
      expect(acceptCorrelationId(bad)).toMatch(/^[0-9a-f-]{36}$/);
    }
  });
});
