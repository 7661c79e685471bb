import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  type DesktopView,
  desktopViewSchema,
  loginResponseSchema,
  type PoolView,
  poolViewSchema,
} from '#libs/contracts';
import type { Goldleaf } from '../../e2e/support/goldleaf.js';
import { until } from '../../e2e/support/until.js';

const POOL = 'call-center';

/** When the services said something of a desktop, in milliseconds since 1970. */
export interface DesktopLog {
  readonly startedAtMs: number | undefined;
  readonly tunnelOpenAtMs: number | undefined;
}

const lineSchema = z.object({
  msg: z.string(),
  time: z.string(),
  machineId: z.string().optional(),
  desktopId: z.string().optional(),
});

/** What IT sees and sets, for the bench. */
export class ItDesk {
  private constructor(
    private readonly goldleaf: Goldleaf,
    private readonly token: string,
  ) {}

  static async signIn(goldleaf: Goldleaf): Promise<ItDesk> {
    const answer = await fetch(`${goldleaf.url}/api/v1/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'ivan', password: 'ivan-demo' }),
    });
    return new ItDesk(goldleaf, loginResponseSchema.parse(await answer.json()).token);
  }

  async setSpares(spares: number): Promise<void> {
    await this.call('PATCH', `/pools/${POOL}`, { spares });
  }

  /** Waits until so many spares are there and nothing is being made or destroyed. */
  async untilQuiet(spares: number, timeoutMs: number): Promise<void> {
    const isQuiet = async () => {
      const { counts } = await this.pool();
      return counts.available === spares && counts.provisioning === 0 && counts.recycling === 0;
    };
    await until(`${spares} quiet spares`, isQuiet, timeoutMs);
  }

  async desktop(id: string): Promise<DesktopView> {
    const desktops = z.array(desktopViewSchema).parse(await this.call('GET', '/desktops'));
    const found = desktops.find((desktop) => desktop.id === id);
    if (!found) throw new Error('the desktop is gone');
    return found;
  }

  async log(desktopId: string): Promise<DesktopLog> {
    const text = await readFile(join(this.goldleaf.stateDir, 'logs', 'goldleaf.log'), 'utf8');
    const lines = text
      .split('\n')
      .filter((line) => line.includes(desktopId))
      .map((line) => lineSchema.parse(JSON.parse(line)));
    const timeOf = (msg: string) => {
      const line = lines.find((each) => each.msg === msg);
      return line && Date.parse(line.time);
    };
    return { startedAtMs: timeOf('machine started'), tunnelOpenAtMs: timeOf('tunnel open') };
  }

  private async pool(): Promise<PoolView> {
    return poolViewSchema.parse(await this.call('GET', `/pools/${POOL}`));
  }

  private async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${this.goldleaf.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}
