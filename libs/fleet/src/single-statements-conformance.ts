import type { Desktop } from './desktop.entity.js';
import type { FleetStore, ProvisioningOrder } from './fleet-store.js';
import type { DesktopMove, FleetTransaction, NewSession, SessionRequest } from './fleet-transaction.js';
import type { Session } from './session.entity.js';

// The statements for one row, which is what most cases are about.

export const desktopOf = async (store: FleetStore, id: string): Promise<Desktop | null> =>
  (await store.desktops([id]))[0] ?? null;

export const provisioningOrder = async (store: FleetStore, id: string): Promise<ProvisioningOrder | null> =>
  (await store.provisioningOrders([id]))[0] ?? null;

export const moveDesktop = async (tx: FleetTransaction, move: DesktopMove): Promise<boolean> =>
  (await tx.moveDesktops([move])).has(move.id);

export const assignedDesktop = async (tx: FleetTransaction, sessionId: string): Promise<Desktop | null> =>
  (await tx.assignedDesktops([sessionId]))[0] ?? null;

export const addSession = async (tx: FleetTransaction, session: NewSession): Promise<string | null> =>
  (await tx.addSessions([session]))[0]?.id ?? null;

export const liveSession = async (tx: FleetTransaction, username: string, poolId: string): Promise<string | null> =>
  (await tx.liveSessions([{ username, poolId }]))[0]?.id ?? null;

export const lockSession = async (tx: FleetTransaction, id: string): Promise<Session | null> =>
  (await tx.lockSessions([id]))[0] ?? null;

export const sessionRequest = async (tx: FleetTransaction, username: string, key: string) => {
  const [request] = await tx.sessionRequests([{ username, key }]);
  return request ? { sessionId: request.sessionId, poolId: request.poolId } : null;
};

export const addSessionRequest = (tx: FleetTransaction, request: SessionRequest): Promise<number> =>
  tx.addSessionRequests([request]);
