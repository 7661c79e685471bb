export type { FleetRule } from './fleet-rule.js';
export { ConnectionLost, ConstraintViolation, DeadlockDetected } from './memory-errors.js';
export { MemoryFleet, type MemoryFleetOptions } from './memory-fleet.js';
export { type Gate, MemoryFleetStore } from './memory-fleet-store.js';
export type { AuditRow, ImageVersionRow, SessionRequestRow, StateEventRow } from './memory-rows.js';
