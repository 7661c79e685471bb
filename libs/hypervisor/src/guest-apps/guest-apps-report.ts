import { z } from 'zod';
import { MachineError } from '../machine-error.js';
import { unescapeField } from './sync-input.js';
import type { WantedApp } from './wanted-app.js';

/**
 * `incompatible`: made for another operating system. `damaged`: not a layer, or it cannot be read. `failed`: anything
 * else, e.g. the machine was not given its volume.
 */
export const guestAppFailureSchema = z.enum(['incompatible', 'damaged', 'failed']);
export type GuestAppFailure = z.infer<typeof guestAppFailureSchema>;

export type GuestAppState =
  /** `ready`: merged and in the menu. `on-demand`: in the menu. */
  | { readonly name: string; readonly state: 'ready' | 'on-demand' }
  | {
      readonly name: string;
      readonly state: 'failed';
      readonly reason: GuestAppFailure;
      /** For operators, written by the guest. */
      readonly detail: string;
    };

/** What a guest said about its applications. */
export interface GuestAppsReport {
  /** One for each that was wanted, in that order. */
  readonly apps: readonly GuestAppState[];
  /** Names of layers that were taken away; their volumes can be detached. */
  readonly removed: readonly string[];
  /** How long the guest took, in milliseconds by its own clock: `total`, and its steps. */
  readonly guestMs: Readonly<Record<string, number>>;
}

/** Much more than a guest has to say of as many applications as there may be; reading it takes milliseconds. */
const MAX_REPORT_CHARACTERS = 256 * 1024;

const lineSchema = z.union([
  z.tuple([z.enum(['ready', 'on-demand', 'removed']), z.string()]),
  z.tuple([z.literal('failed'), z.string(), guestAppFailureSchema, z.string()]),
  z.tuple([z.literal('took'), z.string().regex(/^[a-z-]{1,30}$/), z.coerce.number().nonnegative()]),
]);

/**
 * Reads what `apps sync` printed: lines of fields as in `syncInput`. An application that the guest says nothing of
 * counts as failed.
 * @throws MachineError `failed` when it is something else
 */
export function parseGuestAppsReport(wanted: readonly WantedApp[], output: string): GuestAppsReport {
  if (output.length > MAX_REPORT_CHARACTERS) {
    throw new MachineError('failed', "the guest's report of its applications is too long");
  }
  const said = new Map<string, GuestAppState>();
  const removed: string[] = [];
  const guestMs: Record<string, number> = {};
  for (const line of output.split('\n')) {
    if (line === '') continue;
    const [kind, name, ...rest] = parseLine(line);
    if (kind === 'took') guestMs[name] = Number(rest[0]);
    else if (kind === 'removed') removed.push(name);
    else if (kind !== 'failed') said.set(name, { name, state: kind });
    else {
      const [reason, detail] = rest as [GuestAppFailure, string];
      said.set(name, { name, state: 'failed', reason, detail: detail.slice(0, 300) });
    }
  }
  const silence = { state: 'failed', reason: 'failed', detail: 'the guest said nothing of it' } as const;
  return { apps: wanted.map(({ name }) => said.get(name) ?? { name, ...silence }), removed, guestMs };
}

function parseLine(line: string): z.infer<typeof lineSchema> {
  try {
    return lineSchema.parse(line.split('\t').map(unescapeField));
  } catch (cause) {
    throw new MachineError('failed', `the guest's report of its applications cannot be read: ${line.slice(0, 100)}`, {
      cause,
    });
  }
}
