import { z } from 'zod';

export const desktopStateSchema = z.enum([
  'provisioning',
  'available',
  'assigned',
  'recycling',
  'quarantined',
  'deleted',
]);
export type DesktopState = z.infer<typeof desktopStateSchema>;

export const sessionStateSchema = z.enum([
  'pending',
  'preparing',
  'ready',
  'active',
  'disconnected',
  'ending',
  'ended',
  'failed',
]);
export type SessionState = z.infer<typeof sessionStateSchema>;

export const imageVersionStateSchema = z.enum(['importing', 'validating', 'published', 'retired', 'failed']);
export type ImageVersionState = z.infer<typeof imageVersionStateSchema>;

/** The phases of a logon, in order: entitlement, a desktop found, desktop made ready, gateway tunnel drawn. */
export const logonPhaseNameSchema = z.enum(['authorize', 'allocate', 'prepare', 'connect']);
export type LogonPhaseName = z.infer<typeof logonPhaseNameSchema>;
