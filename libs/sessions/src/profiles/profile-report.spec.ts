import { describe, expect, it } from '@jest/globals';
import { noticeAfter, type ProfileReport, type ProfileSoFar } from './profile-report.js';

const ready: ProfileSoFar = { state: 'ready', mode: 'write', usedBytes: 10, totalBytes: 1_000, notice: null };
const told = (before: Partial<ProfileSoFar>, report: Partial<ProfileReport>) =>
  noticeAfter({ ...ready, ...before }, { state: 'ready', ...report });

describe('noticeAfter', () => {
  it('says how full it is', () => {
    expect(told({}, { usedBytes: 899 })).toBeNull();
    expect(told({}, { usedBytes: 900 })).toBe('nearly-full');
    expect(told({}, { usedBytes: 990 })).toBe('full');
    expect(told({ notice: 'full' }, { usedBytes: 10 })).toBeNull();
    expect(told({ usedBytes: 950 }, { save: 'done' })).toBe('nearly-full');
  });

  it('says that it saves until that was done or failed', () => {
    expect(told({}, { notice: 'saving' })).toBe('saving');
    expect(told({ notice: 'saving' }, { save: 'done' })).toBeNull();
    expect(told({ notice: 'saving' }, { save: 'failed' })).toBe('save-failed');
    expect(told({ notice: 'save-failed' }, { usedBytes: 20 })).toBe('save-failed');
    expect(told({ notice: 'save-failed' }, { save: 'done' })).toBeNull();
  });

  it('goes on saying what holds for the whole session', () => {
    expect(told({ notice: 'older-version' }, { notice: 'saving' })).toBe('older-version');
    expect(told({ notice: 'older-version' }, { save: 'done' })).toBe('older-version');
    expect(told({ notice: 'older-version', mode: 'read-only' }, { usedBytes: 20 })).toBe('older-version');
    expect(told({ notice: 'read-only', mode: 'read-only' }, { usedBytes: 20 })).toBe('read-only');
    expect(told({ state: 'opening' }, { mode: 'read-only' })).toBe('read-only');
  });

  it('says that nothing is kept, whatever else there is to say', () => {
    expect(told({ state: 'opening' }, { state: 'failed', notice: 'full' })).toBe('not-kept');
  });

  it('forgets what was waited for once it is there', () => {
    expect(told({ state: 'waiting', notice: 'in-use' }, { state: 'waiting' })).toBe('in-use');
    expect(told({ state: 'waiting', notice: 'in-use' }, { state: 'opening' })).toBeNull();
    expect(told({ state: 'opening', notice: 'older-version' }, { notice: 'older-version' })).toBe('older-version');
  });
});
