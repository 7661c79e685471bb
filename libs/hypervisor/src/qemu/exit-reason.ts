import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { MachineExitReason } from '../machine.js';

const shutdownEvent = z.object({
  event: z.literal('SHUTDOWN'),
  data: z.object({ guest: z.boolean(), reason: z.string() }),
});

/**
 * Why a machine ended, from the events that QEMU wrote to a file (so that it is known even when nobody watched).
 * Anything but the guest's own doing is `killed`, and so is an end that left no word.
 */
export function exitReason(events: string): MachineExitReason {
  for (const line of events.split('\n').reverse()) {
    if (!line.includes('"SHUTDOWN"')) continue;
    const parsed = shutdownEvent.safeParse(parseJson(line));
    if (!parsed.success) continue;
    if (parsed.data.data.reason === 'guest-reset') return 'guest-reboot';
    if (parsed.data.data.reason === 'guest-shutdown') return 'guest-poweroff';
    return 'killed';
  }
  return 'killed';
}

/** The same, of the file. A guest that panicked counts as `killed`. */
export async function readExitReason(eventsPath: string): Promise<MachineExitReason> {
  return exitReason(await readFile(eventsPath, 'utf8').catch(() => ''));
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
