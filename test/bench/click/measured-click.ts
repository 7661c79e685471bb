import { z } from 'zod';
import { type SessionView, sessionViewSchema } from '#libs/contracts';
import type { DesktopPage } from '../../e2e/support/desktop-page.js';
import { cpuByProgram } from '../storm/cpu-by-program.js';
import type { ClickMarks, ClickRecorder } from './click-marks.js';
import type { ItDesk } from './it-desk.js';
import { type MachineProcessor, machineProcessor } from './machine-processor.js';

const POOL = 'call-center';
const DRAWN_TIMEOUT_MS = 120_000;

/** Milliseconds. The stages follow on each other; one that did not happen is not there. */
export interface MeasuredClick {
  readonly totalMs: number;
  readonly stages: Readonly<Record<string, number>>;
  /** Of a machine that was made for this click: what it computed from its fork to the drawn desktop. */
  readonly processor: MachineProcessor | undefined;
  /** Of everything that the bench has started: milliseconds of one processor, by program. */
  readonly programs: Readonly<Record<string, number>>;
  readonly browser: Pick<ClickMarks, 'images' | 'frames' | 'bytes' | 'repaints'>;
  /** How the driver started the machine, and how long that took. */
  readonly start: { readonly method: string; readonly durationMs: number } | null;
}

/** Clicks on the pool and asks everybody when they did what. */
export async function measureClick(page: DesktopPage, recorder: ClickRecorder, it: ItDesk): Promise<MeasuredClick> {
  const seen = { processor: undefined as MachineProcessor | undefined, programs: {} };
  const before = cpuByProgram();
  const marks = await recorder.click(POOL, DRAWN_TIMEOUT_MS, (drawn) => {
    seen.processor = machineProcessor(drawn.desktopId);
    seen.programs = programsSince(before);
    return drawn;
  });
  const session = await sessionOf(page);
  const desktop = await it.desktop(marks.desktopId);
  const log = await it.log(desktop.id);
  const orderedAt = Date.parse(desktop.createdAt);
  const wasForked = orderedAt >= Math.floor(marks.clicked);
  const assignedAt = Date.parse(session.phases.find(({ name }) => name === 'connect')?.startedAt ?? '');
  const path: [string, number | undefined][] = [
    ['clicked', marks.clicked],
    ['request sent', marks.sessionAsked],
    ...(wasForked
      ? onDemand(marks, { orderedAt, assignedAt, startedAt: log.startedAtMs }, desktop.start)
      : warm(marks, assignedAt)),
    ['ticket asked', marks.ticketAsked],
    ['ticket answered', marks.ticketAnswered],
    ['tunnel: websocket open', marks.tunnelOpen],
    ['tunnel: guacd has the display', log.tunnelOpenAtMs],
    ['picture of the desktop arrived', marks.picture],
    ['its frame arrived', marks.frame],
    ['desktop uncovered', marks.uncovered],
    ['drawn', marks.drawn],
  ];
  return {
    totalMs: marks.drawn - marks.clicked,
    stages: stagesOf(path),
    processor: wasForked ? seen.processor : undefined,
    programs: seen.programs,
    browser: marks,
    start: desktop.start,
  };
}

const warm = (marks: ClickMarks, assignedAt: number): [string, number | undefined][] => [
  ['spare assigned', assignedAt],
  ['POST /sessions answered', marks.sessionAnswered],
];

function onDemand(
  marks: ClickMarks,
  { orderedAt, startedAt, assignedAt }: { orderedAt: number; startedAt: number | undefined; assignedAt: number },
  start: { readonly durationMs: number } | null,
): [string, number | undefined][] {
  return [
    ['desktop ordered', orderedAt],
    ['driver asked for the machine', startedAt === undefined ? undefined : startedAt - (start?.durationMs ?? 0)],
    ['fork: guest runs', startedAt],
    ['identity taken, assigned', assignedAt],
    ['browser told', marks.readyTold],
  ];
}

const programsSince = (before: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries(
    [...cpuByProgram()].map(([name, seconds]) => [name, Math.max(0, 1_000 * (seconds - (before.get(name) ?? 0)))]),
  );

/** How long after the one before each came; services log whole milliseconds. */
function stagesOf(path: readonly [string, number | undefined][]): Record<string, number> {
  const stages: Record<string, number> = {};
  let before: number | undefined;
  for (const [name, at] of path) {
    if (at === undefined || Number.isNaN(at)) continue;
    if (before !== undefined) stages[name] = at - before;
    before = at;
  }
  return stages;
}

async function sessionOf(page: DesktopPage): Promise<SessionView> {
  const found: unknown = await page.page.evaluate("fetch('/api/v1/sessions').then((answer) => answer.json())");
  const session = z
    .array(sessionViewSchema)
    .parse(found)
    .find(({ pool }) => pool === POOL);
  if (!session) throw new Error('the session is gone');
  return session;
}
