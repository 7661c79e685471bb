import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { FleetStore } from '#libs/fleet';
import type { HypervisorDriver } from '#libs/hypervisor';
import type { JobContext, JobPayload } from '#libs/jobs';
import { LOGGER } from '#libs/telemetry';
import { DRIVER } from '../provisioner-options.js';

/** Asks a desktop to draw at the size of the person's window. The picture is scaled until it does, so failing is fine. */
@Injectable()
export class ResizeDesktopHandler {
  /** Newest wish of each desktop: while one is carried out, only the last of those that follow counts. */
  private readonly wishes = new Map<string, JobPayload<'desktop.resize'>['size']>();
  private readonly busy = new Set<string>();

  constructor(
    private readonly store: FleetStore,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async handle({ desktopId, size }: JobPayload<'desktop.resize'>, context: JobContext): Promise<void> {
    this.wishes.set(desktopId, size);
    if (this.busy.has(desktopId)) return;
    this.busy.add(desktopId);
    try {
      for (let wish = this.take(desktopId); wish; wish = this.take(desktopId)) {
        const [desktop] = await this.store.desktops([desktopId]);
        if (desktop?.state !== 'assigned') return;
        await this.driver.resizeDisplay(desktopId, wish.width, wish.height, { correlationId: context.correlationId });
      }
    } catch (error) {
      this.logger.info({ err: error, desktopId }, 'the display was not resized');
    } finally {
      this.busy.delete(desktopId);
      this.wishes.delete(desktopId);
    }
  }

  private take(desktopId: string): JobPayload<'desktop.resize'>['size'] | undefined {
    const wish = this.wishes.get(desktopId);
    this.wishes.delete(desktopId);
    return wish;
  }
}
