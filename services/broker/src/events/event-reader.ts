import { Injectable } from '@nestjs/common';
import type { EventMessage, PoolSummary } from '#libs/contracts';
import { DesktopQueries, PoolService } from '#libs/desktops';
import type { Principal } from '#libs/identity';
import { DomainError, errors } from '#libs/kernel';
import { SessionQueries } from '#libs/sessions';

/** How long one reading of the pools may serve all who have the same roles. */
const poolsFreshMs = 1000;

/** Reads what events are about, as far as the principal may see it. */
@Injectable()
export class EventReader {
  private readonly pools = new Map<string, { readonly at: number; readonly summaries: Promise<PoolSummary[]> }>();

  constructor(
    private readonly sessions: SessionQueries,
    private readonly poolService: PoolService,
    private readonly desktops: DesktopQueries,
  ) {}

  async liveSessions(principal: Principal): Promise<EventMessage[]> {
    const views = await this.sessions.listLive(principal.username);
    return views.map((data) => ({ event: 'session', data }));
  }

  async session(principal: Principal, id: string): Promise<EventMessage[]> {
    try {
      return [{ event: 'session', data: await this.sessions.view(principal.username, id) }];
    } catch (error) {
      if (DomainError.is(error, errors.notFound)) return [];
      throw error;
    }
  }

  async poolsOf(principal: Principal): Promise<EventMessage[]> {
    const key = [...principal.roles].sort().join('\n');
    let read = this.pools.get(key);
    if (!read || performance.now() - read.at > poolsFreshMs) {
      read = { at: performance.now(), summaries: this.poolService.summariesFor(principal.roles) };
      this.pools.set(key, read);
    }
    return (await read.summaries).map((data) => ({ event: 'pool', data }));
  }

  /** Pools have changed: what was read of them before is of no use. */
  forgetPools(): void {
    this.pools.clear();
  }

  async allDesktops(): Promise<EventMessage[]> {
    return (await this.desktops.list()).map((data) => ({ event: 'desktop', data }));
  }

  async desktop(id: string): Promise<EventMessage[]> {
    const data = await this.desktops.view(id);
    return data ? [{ event: 'desktop', data }] : [];
  }
}
