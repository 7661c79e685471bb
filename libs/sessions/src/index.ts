export { type ConnectionClaims, ConnectionService, type OpenedConnection } from './connection-service.js';
export { SessionAllocator } from './session-allocator.js';
export { SessionExpiry } from './session-expiry.js';
export { SessionMoves } from './session-moves.js';
export { SessionQueries } from './session-queries.js';
export { SessionReplacement } from './session-replacement.js';
export { type OpenRequest, type SessionOwner, SessionService } from './session-service.js';
export { SessionsModule } from './sessions.module.js';
