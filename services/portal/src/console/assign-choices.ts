import type { AppAssignmentView, AppVersionView, AssignApp } from '#libs/contracts';
import { labelOf, newestOf } from './console-words.js';

export interface VersionChoice {
  /** A ring, or the number of a fixed version. */
  readonly value: string;
  readonly words: string;
}

/** What IT can choose as the version of an assignment; a fixed one that is no longer to be had stays while it is set. */
export function versionChoices(
  versions: readonly AppVersionView[],
  present: AppAssignmentView | null,
): VersionChoice[] {
  const broad = newestOf('broad', versions);
  const pilot = newestOf('pilot', versions);
  const published = versions.filter((version) => version.state === 'published');
  const choices: VersionChoice[] = [
    { value: 'broad', words: `Newest for everyone (${broad ? `now ${broad.label}` : 'none yet'})` },
    { value: 'pilot', words: `Newest, pilots too (${pilot ? `now ${pilot.label}` : 'none yet'})` },
    ...published.map(({ number, label }) => ({ value: String(number), words: `Always ${label} (no. ${number})` })),
  ];
  const fixed = present?.version ?? null;
  if (fixed !== null && !published.some((version) => version.number === fixed)) {
    choices.push({ value: String(fixed), words: `Always ${labelOf(fixed, versions)} (not available)` });
  }
  return choices;
}

/** The value of the choice that stands for an assignment. */
export function choiceOf(assignment: Pick<AppAssignmentView, 'version' | 'ring'>): string {
  return assignment.version === null ? assignment.ring : String(assignment.version);
}

/** What the value of a choice asks for. */
export function parseChoice(value: string): Pick<AssignApp, 'version' | 'ring'> {
  if (value === 'broad' || value === 'pilot') return { version: null, ring: value };
  return { version: Number(value), ring: 'broad' };
}
