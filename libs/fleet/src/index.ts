export { Connection } from './connection.entity.js';
export { Desktop } from './desktop.entity.js';
export { desktopStates } from './desktop-states.js';
export { FleetModule } from './fleet.module.js';
export { FleetStore, type ProvisioningOrder, type SessionNow, type StuckDesktop } from './fleet-store.js';
export type {
  ClaimedSpare,
  DesktopChange,
  DesktopMove,
  DesktopOrder,
  FleetTransaction,
  HostSituation,
  LiveSession,
  NewSession,
  NewSessionProfile,
  PoolCounts,
  ProfileChoice,
  RecentFailures,
  SessionMove,
  SessionOwnership,
  SessionRequest,
  SessionRequestKey,
} from './fleet-transaction.js';
export { Host } from './host.entity.js';
export { HOST_OFFLINE_AFTER_SECONDS } from './host-offline.js';
export {
  type AuditRow,
  ConnectionLost,
  ConstraintViolation,
  DeadlockDetected,
  type FleetRule,
  type Gate,
  type ImageVersionRow,
  MemoryFleet,
  type MemoryFleetOptions,
  MemoryFleetStore,
  type SessionRequestRow,
  type StateEventRow,
} from './memory/index.js';
export { Pool } from './pool.entity.js';
export { queueOrder } from './postgres/columns.js';
export { PostgresFleetTransaction } from './postgres/postgres-fleet-transaction.js';
export { PROVISIONING_FAILED } from './provisioning-failed.js';
export { Session } from './session.entity.js';
export { LIVE, SHOWABLE, sessionStates } from './session-states.js';
