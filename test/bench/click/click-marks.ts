import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { DesktopPage } from '../../e2e/support/desktop-page.js';
import { repository } from '../../e2e/support/repository.js';

const recordClick = readFileSync(join(repository, 'test/bench/click/record-click.js'), 'utf8');

/** When things happened in the browser, in milliseconds since 1970. */
const clickMarksSchema = z.object({
  clicked: z.number(),
  sessionAsked: z.number(),
  sessionAnswered: z.number(),
  /** An event told that the session has a desktop; it may come before the answer, or not at all. */
  readyTold: z.number().optional(),
  ticketAsked: z.number(),
  ticketAnswered: z.number(),
  tunnelAsked: z.number(),
  tunnelOpen: z.number(),
  /** The last picture before the desktop is shown has arrived; guacd's first ones are a cursor and an empty screen. */
  picture: z.number().optional(),
  /** And the end of its frame. */
  frame: z.number().optional(),
  /** The portal takes the desktop for drawn and shows it. */
  uncovered: z.number(),
  /** The desktop is uncovered and its pixels are those of a desktop. */
  drawn: z.number(),
  desktopId: z.uuid(),
  /** What came through the tunnel until then. */
  images: z.number(),
  frames: z.number(),
  bytes: z.number(),
  /** How often the browser painted between that frame's arrival and the drawn desktop. */
  repaints: z.number(),
});
export type ClickMarks = z.infer<typeof clickMarksSchema>;

/** Clicks on pools and learns from the page itself when what was happening. */
export class ClickRecorder {
  private drawn: ((marks: ClickMarks) => void) | undefined;

  private constructor(private readonly desktop: DesktopPage) {}

  /** Loads the page again. */
  static async install(desktop: DesktopPage): Promise<ClickRecorder> {
    const recorder = new ClickRecorder(desktop);
    await desktop.page.exposeFunction('tellDrawn', (marks: unknown) => recorder.drawn?.(clickMarksSchema.parse(marks)));
    await desktop.page.addInitScript(recordClick);
    await desktop.page.reload();
    return recorder;
  }

  /** @param onDrawn called at the moment when the desktop is drawn */
  async click<T>(pool: string, timeoutMs: number, onDrawn: (marks: ClickMarks) => T): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const outcome = new Promise<T>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no desktop was drawn within ${timeoutMs} ms`)), timeoutMs);
      this.drawn = (marks) => resolve(onDrawn(marks));
    });
    try {
      await this.desktop.byId(`open-${pool}`).click();
      return await outcome;
    } finally {
      clearTimeout(timer);
    }
  }
}
