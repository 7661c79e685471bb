export { batchedLookup } from './batched-lookup.js';
export { Batcher } from './batcher.js';
export { type Clock, ManualClock, systemClock } from './clock.js';
export { DomainError, type ErrorDefinition, type ErrorFacts } from './domain-error.js';
export { errors } from './errors.js';
export { constantTimeEqual, hashToken, newToken, SecretBox } from './secrets.js';
export { SharedRun } from './shared-run.js';
export { assertPath, defineStateMachine, type StateMachine, type TransitionTable } from './state-machine.js';
export { UndoStack } from './undo-stack.js';
