import type { AuditRecord } from '#libs/audit';
import type { DesktopState, ImageVersionState, SessionState } from '#libs/contracts';

export interface ImageVersionRow {
  readonly id: string;
  readonly imageId: string;
  readonly number: number;
  readonly state: ImageVersionState;
}

export interface SessionRequestRow {
  /** Made of user name and key. */
  readonly id: string;
  readonly username: string;
  readonly key: string;
  readonly sessionId: string;
  readonly poolId: string;
}

export interface StateEventRow {
  readonly entity: 'desktop' | 'session';
  readonly entityId: string;
  readonly fromState: DesktopState | SessionState | null;
  readonly toState: DesktopState | SessionState;
  readonly reason: string | null;
  readonly correlationId: string | null;
  readonly at: Date;
}

export interface AuditRow extends AuditRecord {
  readonly at: Date;
}
