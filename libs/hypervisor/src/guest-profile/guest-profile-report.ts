import { z } from 'zod';
import { unescapeField } from '../guest-apps/sync-input.js';
import type { FileSystemUsage } from '../hypervisor-driver.js';
import { MachineError } from '../machine-error.js';

interface Timed {
  /** How long the guest took, in milliseconds by its own clock: `total`, and its steps. */
  readonly guestMs: Readonly<Record<string, number>>;
}

/** What came of opening a profile. */
export type GuestProfileOpening = Timed &
  (
    | (FileSystemUsage & {
        readonly state: 'opened';
        /** Whether errors were found in the file system and corrected; replaying its journal is none. */
        readonly isRepaired: boolean;
        /** Excluded paths that are kept all the same, because the profile has something else than a folder there. */
        readonly keptPaths: readonly string[];
      })
    /** `damaged`: the volume has what cannot be corrected without loss; opening it again will not help. */
    | {
        readonly state: 'damaged' | 'failed';
        /** For operators, written by the guest. */
        readonly detail: string;
      }
  );

/** What came of closing a profile. */
export type GuestProfileClosing = Timed &
  (
    | {
        /** Everything is on the disk, and nothing in the guest uses it any more. Also when none was open. */
        readonly state: 'closed';
        /** How many of the person's programs had to be killed because they did not end when asked. */
        readonly killedPrograms: number;
      }
    /** What was written by then is on the disk all the same, but more may come, or its journal be needed. */
    | { readonly state: 'failed'; readonly detail: string }
  );

/** Much more than a guest has to say. */
const MAX_REPORT_CHARACTERS = 256 * 1024;
const MAX_DETAIL_CHARACTERS = 300;

const bytes = z
  .string()
  .regex(/^[0-9]{1,15}$/)
  .transform(Number);
const lineSchema = z.union([
  z.tuple([z.literal('opened'), bytes, bytes, z.enum(['clean', 'repaired'])]),
  z.tuple([z.enum(['damaged', 'failed']), z.string()]),
  z.tuple([z.literal('kept'), z.string()]),
  z.tuple([z.literal('closed'), bytes]),
  z.tuple([z.literal('took'), z.string().regex(/^[a-z-]{1,30}$/), z.coerce.number().nonnegative()]),
]);
type Line = z.infer<typeof lineSchema>;

/** @throws MachineError `failed` when the guest said something else than how it opened a profile */
export function parseOpening(output: string): GuestProfileOpening {
  const lines = parseLines(output);
  const guestMs = timesOf(lines);
  for (const line of lines) {
    if (line[0] === 'damaged' || line[0] === 'failed') return { state: line[0], detail: detailOf(line[1]), guestMs };
    if (line[0] !== 'opened') continue;
    const [, totalBytes, usedBytes, repair] = line;
    const keptPaths = lines.flatMap((other) => (other[0] === 'kept' ? [other[1]] : []));
    return { state: 'opened', totalBytes, usedBytes, isRepaired: repair === 'repaired', keptPaths, guestMs };
  }
  throw unreadable(output);
}

/** @throws MachineError `failed` when the guest said something else than how it closed a profile */
export function parseClosing(output: string): GuestProfileClosing {
  const lines = parseLines(output);
  const guestMs = timesOf(lines);
  for (const line of lines) {
    if (line[0] === 'failed') return { state: 'failed', detail: detailOf(line[1]), guestMs };
    if (line[0] === 'closed') return { state: 'closed', killedPrograms: line[1], guestMs };
  }
  throw unreadable(output);
}

function parseLines(output: string): Line[] {
  if (output.length > MAX_REPORT_CHARACTERS) {
    throw new MachineError('failed', "the guest's report of its profile is too long");
  }
  const lines = output.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    try {
      return lineSchema.parse(line.split('\t').map(unescapeField));
    } catch (cause) {
      throw unreadable(line, cause);
    }
  });
}

const timesOf = (lines: Line[]): Record<string, number> =>
  Object.fromEntries(lines.flatMap((line) => (line[0] === 'took' ? [[line[1], line[2]]] : [])));

const detailOf = (text: string): string => text.slice(0, MAX_DETAIL_CHARACTERS);

const unreadable = (said: string, cause?: unknown): MachineError =>
  new MachineError('failed', `the guest's report of its profile cannot be read: ${said.slice(0, 100)}`, { cause });
