export { sweepDeadSockets } from './listening-socket.js';
export { NbdClientError, type NbdClientErrorCode } from './nbd-client-error.js';
export { dirtyBitmapContext, type NbdClientOptions, type NbdStatusExtent } from './nbd-client-options.js';
export { type NbdExportOptions, NbdExports } from './nbd-exports.js';
export type { NbdMetrics, NbdOutcome, NbdRequestFacts } from './nbd-metrics.js';
export { defaultNbdLimits, type NbdLimits, type NbdServerOptions, type NbdSocketAccess } from './nbd-options.js';
export { NbdServer } from './nbd-server.js';
export { defaultReadAhead, type ReadAheadSizes } from './read-ahead-reader.js';
