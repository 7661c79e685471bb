import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ProfileKeyError, ProfileKeys, parseMasterKey } from './profile-keys.js';

const codeOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return (error as ProfileKeyError).code;
  }
  return 'no error';
};

describe('ProfileKeys', () => {
  const master = randomBytes(32);
  const keys = new ProfileKeys(master);
  const volumeId = randomUUID();

  it('gives back what it wrapped, also in another process', () => {
    const key = randomBytes(32);
    expect(new ProfileKeys(master).unwrap(volumeId, keys.wrap(volumeId, key))).toEqual(key);
  });

  it('makes another key each time, and never the same form of one', () => {
    const wrapped = [keys.make(volumeId), keys.make(volumeId)];
    expect(keys.unwrap(volumeId, wrapped[0] as Buffer)).not.toEqual(keys.unwrap(volumeId, wrapped[1] as Buffer));
    const key = randomBytes(32);
    expect(keys.wrap(volumeId, key)).not.toEqual(keys.wrap(volumeId, key));
  });

  it('does not open the key of another volume', () => {
    expect(codeOf(() => keys.unwrap(randomUUID(), keys.make(volumeId)))).toBe('damaged');
  });

  it('does not open what was altered anywhere', () => {
    const wrapped = keys.make(volumeId);
    const codes = [...wrapped.keys()].map((at) => {
      const altered = Buffer.from(wrapped);
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
      return codeOf(() => keys.unwrap(volumeId, altered));
    });
    expect(new Set(codes)).toEqual(new Set(['damaged', 'unknown-master-key']));
    expect(codeOf(() => keys.unwrap(volumeId, wrapped.subarray(0, -1)))).toBe('damaged');
    expect(codeOf(() => keys.unwrap(volumeId, Buffer.alloc(0)))).toBe('damaged');
  });

  it('names a master key that is not known', () => {
    expect(codeOf(() => new ProfileKeys(randomBytes(32)).unwrap(volumeId, keys.make(volumeId)))).toBe(
      'unknown-master-key',
    );
  });

  it('rewraps under a new master key, after which the former is not needed', () => {
    const next = randomBytes(32);
    const wrapped = keys.make(volumeId);
    const both = new ProfileKeys(next, [master]);
    expect([keys.isCurrent(wrapped), both.isCurrent(wrapped)]).toEqual([true, false]);
    const rewrapped = both.rewrap(volumeId, wrapped);
    expect(both.isCurrent(rewrapped)).toBe(true);
    expect(new ProfileKeys(next).unwrap(volumeId, rewrapped)).toEqual(keys.unwrap(volumeId, wrapped));
  });

  it('takes master keys of 32 bytes only', () => {
    expect(parseMasterKey(`${master.toString('base64')}\n`)).toEqual(master);
    for (const text of ['', 'secret', randomBytes(31).toString('base64'), `${master.toString('base64')}x`]) {
      expect(codeOf(() => parseMasterKey(text))).toBe('bad-master-key');
    }
    expect(codeOf(() => new ProfileKeys(randomBytes(16)))).toBe('bad-master-key');
  });
});
