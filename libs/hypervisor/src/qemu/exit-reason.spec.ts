import { describe, expect, it } from '@jest/globals';
import { exitReason } from './exit-reason.js';

const event = (reason: string, guest: boolean) =>
  JSON.stringify({ timestamp: { seconds: 1, microseconds: 2 }, event: 'SHUTDOWN', data: { guest, reason } });
const before = '{"QMP": {"version": {}}}\n{"return": {}}\n{"event": "RESUME"}\n';

describe('exitReason', () => {
  it.each([
    ['guest-reset', true, 'guest-reboot'],
    ['guest-shutdown', true, 'guest-poweroff'],
    ['guest-panic', true, 'killed'],
    ['host-signal', false, 'killed'],
    ['host-qmp-quit', false, 'killed'],
  ])('%s is %s', (reason, guest, expected) => {
    expect(exitReason(`${before}${event(reason, guest)}\n`)).toBe(expected);
  });

  it('takes the last word, and no word or half a word as killed', () => {
    expect(exitReason(`${event('host-signal', false)}\n${event('guest-reset', true)}\n`)).toBe('guest-reboot');
    expect(exitReason(before)).toBe('killed');
    expect(exitReason('')).toBe('killed');
    expect(exitReason(event('guest-reset', true).slice(0, -5))).toBe('killed');
  });
});
