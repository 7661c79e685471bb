import { Injectable } from '@nestjs/common';
import type { JobPayload } from '#libs/jobs';
import { DesktopProfileSync } from '../profiles/desktop-profile-sync.js';

/** Brings the profile of its person to a desktop: the session is ready when it is there. */
@Injectable()
export class DesktopProfileHandler {
  constructor(private readonly sync: DesktopProfileSync) {}

  handle({ desktopId }: JobPayload<'desktop.profile'>): Promise<void> {
    return this.sync.open(desktopId);
  }
}
