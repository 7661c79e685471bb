import { Injectable } from '@nestjs/common';
import type { JobPayload } from '#libs/jobs';
import { DesktopAppSync } from '../apps/desktop-app-sync.js';

/** Makes the applications of a desktop what the record of its person says. The logon does not wait for it. */
@Injectable()
export class DesktopAppsHandler {
  constructor(private readonly sync: DesktopAppSync) {}

  handle({ desktopId }: JobPayload<'desktop.apps'>): Promise<void> {
    return this.sync.run(desktopId);
  }
}
