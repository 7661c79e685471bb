import { z } from 'zod';
import { delay } from '../delay.js';
import { type QmpClient, QmpError } from './qmp-client.js';

const nodeList = z.array(
  z.object({
    'node-name': z.string().optional(),
    image: z.object({ 'virtual-size': z.number() }),
    'dirty-bitmaps': z.array(z.object({ name: z.string().optional(), recording: z.boolean() })).optional(),
  }),
);

export interface BlockNode {
  readonly sizeBytes: number;
  readonly bitmaps: readonly { readonly name: string; readonly isRecording: boolean }[];
}

/** The named block nodes of a machine, by name. @throws QmpError */
export async function blockNodes(qmp: QmpClient, timeoutMs: number): Promise<ReadonlyMap<string, BlockNode>> {
  const nodes = nodeList.parse(await qmp.execute('query-named-block-nodes', { flat: true }, timeoutMs));
  return new Map(
    nodes.flatMap((node) => {
      const name = node['node-name'];
      const bitmaps = (node['dirty-bitmaps'] ?? []).flatMap(({ name, recording }) =>
        name ? [{ name, isRecording: recording }] : [],
      );
      return name ? [[name, { sizeBytes: node.image['virtual-size'], bitmaps }] as const] : [];
    }),
  );
}

/** The same, of one. @returns undefined when there is none */
export async function blockNode(qmp: QmpClient, name: string, timeoutMs: number): Promise<BlockNode | undefined> {
  return (await blockNodes(qmp, timeoutMs)).get(name);
}

const POLL_MS = 2;

/** What QEMU says of a thing that is not there. */
const ABSENT = /Failed to find node|not found|is not active|No such|doesn't exist/i;

/** What it says of one that something still holds, e.g. a disk that is just going. */
const HELD = /in use/i;

/**
 * Runs a command that takes something away; it may be gone already, or still be held for a moment.
 * @throws QmpError, also when it is held at the deadline
 */
export async function takeAway(
  qmp: QmpClient,
  command: string,
  args: Record<string, unknown>,
  timeoutMs: number,
): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; ; await delay(POLL_MS)) {
    try {
      await qmp.execute(command, args, Math.max(1, deadline - Date.now()));
      return;
    } catch (error) {
      if (!(error instanceof QmpError) || qmp.isClosed) throw error;
      if (ABSENT.test(error.message)) return;
      if (!HELD.test(error.message) || Date.now() > deadline) throw error;
    }
  }
}

/** Asks until it is so. @throws QmpError at the deadline */
export async function untilGone(what: string, isThere: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; await isThere(); await delay(POLL_MS)) {
    if (Date.now() > deadline) throw new QmpError(`${what} is still there`);
  }
}
