import { describe, expect, it } from '@jest/globals';
import { NotFoundException, PayloadTooLargeException } from '@nestjs/common';
import { DomainError, errors } from '#libs/kernel';
import { asDomainError } from './problem.filter.js';

const codeOf = (error: unknown) => asDomainError(error).code;
const withCode = (code: string) => Object.assign(new Error(code), { code });

describe('asDomainError', () => {
  it('tells a part that is away from a fault of our own', () => {
    const query = Object.assign(new Error('query failed'), { driverError: withCode('57P01') });
    for (const lost of [
      withCode('ECONNREFUSED'),
      withCode('ETIMEDOUT'),
      new AggregateError([withCode('ECONNREFUSED')]),
      new Error('while asking', { cause: withCode('ECONNRESET') }),
      query,
      new Error('Connection terminated unexpectedly'),
      new Error('Connection is closed.'),
      new Error('Command timed out'),
      new Error('Reached the max retries per request limit (which is 0).'),
    ]) {
      expect([lost.message, codeOf(lost)]).toEqual([lost.message, 'unavailable']);
    }
    for (const fault of [new TypeError('x is undefined'), withCode('23505'), 'thrown text', undefined]) {
      expect(codeOf(fault)).toBe('internal');
    }
  });

  it('keeps our own errors and translates those of the framework', () => {
    const own = new DomainError(errors.conflict, 'busy');
    expect(asDomainError(own)).toBe(own);
    expect(codeOf(new NotFoundException('Cannot GET /secret'))).toBe('not-found');
    expect(asDomainError(new NotFoundException('Cannot GET /secret')).message).not.toContain('secret');
    expect(codeOf(new PayloadTooLargeException())).toBe('invalid-request');
  });
});
