export { createDataSource, type DatabaseOptions } from './create-data-source.js';
export { DatabaseModule } from './database.module.js';
export { isoTimestamp } from './iso-timestamp.js';
export { type Move, moveState, recordStateEvent } from './move-state.js';
export { runMigrations } from './run-migrations.js';
export { StateEvent } from './state-event.entity.js';
export { readRows, transact, UnitOfWork } from './unit-of-work.js';
