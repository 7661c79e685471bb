import { describe, expect, it } from '@jest/globals';
import {
  profileFailureSchema,
  profileNoticeSchema,
  profileVersionReasonSchema,
  type SessionProfile,
} from '#libs/contracts';
import {
  asksAtLogOff,
  profileFailureWords,
  profileNoticeHeading,
  standingWarning,
  versionReasonWords,
  wordsForProfileWait,
  wordsForRestart,
  wordsForSaved,
  wordsForVersionReason,
} from './profile-words.js';

const profile = (more: Partial<SessionProfile> = {}): SessionProfile => ({
  context: 'work',
  state: 'ready',
  mode: 'write',
  notice: null,
  reason: null,
  usedBytes: null,
  totalBytes: null,
  savedAt: null,
  atLogOff: 'keep',
  ...more,
});

describe('profile words', () => {
  it('has words for all that the contract can say', () => {
    expect(Object.keys(profileFailureWords).sort()).toEqual([...profileFailureSchema.options].sort());
    expect(Object.keys(versionReasonWords).sort()).toEqual([...profileVersionReasonSchema.options].sort());
    const silent = profileNoticeSchema.options.filter((notice) => profileNoticeHeading(profile({ notice })) === null);
    // The first comes and goes by itself; the others are said while the person waits.
    expect(silent).toEqual(['saving', 'in-use', 'host-silent']);
  });

  it('says where the profile is waited for, and only while it is', () => {
    const waiting = (more: Partial<SessionProfile>, desktop: { id: string } | null = { id: 'x' }) =>
      wordsForProfileWait({ desktop, profile: profile({ state: 'waiting', ...more }) });
    expect(waiting({ notice: 'in-use' })).toContain('the other desktop');
    expect(waiting({ notice: 'host-silent' })).toContain('does not answer');
    expect(waiting({ notice: null })).toBeNull();
    expect(waiting({ notice: 'in-use', state: 'ready' })).toBeNull();
    expect(waiting({ notice: 'in-use' }, null)).toBeNull();
    expect(wordsForProfileWait(null)).toBeNull();
  });

  it('never lets it be overlooked that nothing is kept, whatever else there is to say', () => {
    const lost = profile({ state: 'failed', reason: 'damaged', notice: 'saving' });
    expect(profileNoticeHeading(lost)?.text).toContain('found damaged');
    expect(standingWarning(lost)).toBe('Nothing is kept here');
    expect(wordsForSaved(lost)).toBe('Nothing is kept here');
    expect(standingWarning(profile({ mode: 'read-only', notice: 'saving' }))).toBe('Changes are not kept');
    expect(standingWarning(profile({ notice: 'saving' }))).toBeNull();
    expect(standingWarning(null)).toBeNull();
  });

  it('tells since when nothing was saved', () => {
    const savedAt = new Date().toISOString();
    expect(standingWarning(profile({ notice: 'save-failed', savedAt }))).toMatch(/^Not saved since \d/);
    expect(profileNoticeHeading(profile({ notice: 'save-failed', savedAt }))?.text).toContain('is saved. It is tried');
    expect(wordsForSaved(profile({ savedAt }))).toMatch(/^Your work is saved as of \d/);
    expect(wordsForSaved(profile({ notice: 'full', savedAt }))).toMatch(/^Your work is saved as of \d/);
  });

  it('asks at log-off only where there is something to decide', () => {
    expect(asksAtLogOff(profile({ atLogOff: 'ask' }))).toBe(true);
    for (const more of [
      {},
      { state: 'failed' as const },
      { mode: 'read-only' as const },
      { state: 'waiting' as const },
    ]) {
      expect(asksAtLogOff(profile({ atLogOff: more.state || more.mode ? 'ask' : 'keep', ...more }))).toBe(false);
    }
    expect(asksAtLogOff(null)).toBe(false);
  });

  it('says what a clean restart leaves', () => {
    expect(wordsForRestart(profile())).toContain('come back');
    expect(wordsForRestart(profile({ mode: 'read-only' }))).toContain('is lost');
    expect(wordsForRestart(profile({ state: 'failed' }))).not.toContain('come back');
    expect(wordsForRestart(null)).not.toContain('come back');
  });

  it('names the version that was gone back to while it is there', () => {
    const versions = [{ number: 5, createdAt: '2026-11-18T16:58:00Z' }];
    expect(wordsForVersionReason({ reason: 'restored', restoredFrom: 5 }, versions)).toMatch(/^Went back to .*2026/);
    expect(wordsForVersionReason({ reason: 'restored', restoredFrom: 4 }, versions)).toBe('Put back');
  });
});
