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

/** The phases of a logon, in order: entitlement, a desktop found, desktop made ready, the profile opened
 * on it where the pool has profiles, gateway tunnel drawn. */
export const logonPhaseNameSchema = z.enum(['authorize', 'allocate', 'prepare', 'profile', 'connect']);
export type LogonPhaseName = z.infer<typeof logonPhaseNameSchema>;

/**
 * `active`: spares are kept and people served. `draining`: nobody new is served and no spares are kept; people who have
 * a session keep it, also through restarts. `maintenance`: no desktop is made at all; desktops in use stay until they
 * are given back. Whoever asks for a desktop meanwhile waits in the queue and is told why.
 */
export const poolModeSchema = z.enum(['active', 'draining', 'maintenance']);
export type PoolMode = z.infer<typeof poolModeSchema>;

/** `draining`: no new desktops are made on the host and its spares are given up; desktops in use stay. */
export const hostModeSchema = z.enum(['active', 'draining']);
export type HostMode = z.infer<typeof hostModeSchema>;

/** How a machine was started: forked from a saved parent, or booted as a linked clone. */
export const startMethodSchema = z.enum(['fork', 'boot']);
export type StartMethod = z.infer<typeof startMethodSchema>;
