import { describe, expect, it } from '@jest/globals';
import {
  type AppVersionView,
  appAssignmentKindSchema,
  appModeSchema,
  appRingSchema,
  appVersionStateSchema,
  desktopStateSchema,
  imageVersionStateSchema,
} from '#libs/contracts';
import { choiceOf, parseChoice, versionChoices } from './assign-choices.js';
import * as words from './console-words.js';

const version = (number: number, more: Partial<AppVersionView>): AppVersionView => ({
  number,
  label: `1.${number}`,
  state: 'published',
  ring: 'broad',
  layerBytes: 1,
  installedBytes: 1,
  os: { id: 'debian', versionId: '12', architecture: 'x86_64' },
  baseImage: 'demo',
  volumeId: '',
  keyId: '',
  packages: 1,
  failure: null,
  createdBy: 'ivan',
  createdAt: '2026-11-23T08:00:00Z',
  ...more,
});
const versions = [version(3, { state: 'damaged' }), version(2, { ring: 'pilot' }), version(1, {})];

describe('console words', () => {
  it('name everything that the contract knows', () => {
    const namesOf = (record: object) => Object.keys(record).sort();
    expect(namesOf(words.kindWords)).toEqual([...appAssignmentKindSchema.options].sort());
    expect(namesOf(words.modeWords)).toEqual([...appModeSchema.options].sort());
    expect(namesOf(words.ringWords)).toEqual([...appRingSchema.options].sort());
    expect(namesOf(words.versionStateWords)).toEqual([...appVersionStateSchema.options].sort());
    expect(namesOf(words.desktopStateWords)).toEqual([...desktopStateSchema.options].sort());
    expect(namesOf(words.imageStateWords)).toEqual([...imageVersionStateSchema.options].sort());
  });

  it('know the newest version of a ring, damaged and withdrawn ones left out', () => {
    expect(words.newestOf('pilot', versions)?.number).toBe(2);
    expect(words.newestOf('broad', versions)?.number).toBe(1);
    expect(words.newestOf('broad', [version(1, { state: 'withdrawn' })])).toBeNull();
  });

  it('offer the rings and every published version, and keep a fixed one that is gone', () => {
    const offered = versionChoices(versions, null);
    expect(offered.map((choice) => choice.value)).toEqual(['broad', 'pilot', '2', '1']);
    expect(offered[0]?.words).toContain('now 1.1');
    const present = {
      role: 'a',
      kind: 'assigned',
      version: 3,
      ring: 'broad',
      mode: 'at-logon',
      serves: null,
      createdBy: 'ivan',
      createdAt: '2026-11-23T08:00:00Z',
    } as const;
    expect(versionChoices(versions, present).at(-1)).toEqual({ value: '3', words: 'Always 1.3 (not available)' });
  });

  it.each([
    { version: null, ring: 'pilot' },
    { version: null, ring: 'broad' },
    { version: 2, ring: 'broad' },
  ] as const)('read a choice back as it was: %j', (assignment) => {
    expect(parseChoice(choiceOf(assignment))).toEqual(assignment);
  });

  it('say where an image is ready', () => {
    const host = (ready: boolean) => ({ name: 'a', ready, failure: null });
    expect(words.wordsForHosts([])).toBe('On none yet');
    expect(words.wordsForHosts([host(true), host(false)])).toBe('Ready on 1 of 2');
    expect(words.wordsForHosts([host(true), host(true)])).toBe('Ready on all 2');
  });
});
