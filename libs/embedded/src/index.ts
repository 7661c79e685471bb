export type { EmbeddedServer, EmbeddedServerOptions } from './embedded-server.js';
export { freePort, isPortFree, listenFault } from './free-port.js';
export { startGuacd } from './guacd.js';
export { startPostgres } from './postgres.js';
export { type ProcessOwner, processOwner } from './process-owner.js';
export { startRedis } from './redis.js';
export { endStaleServer } from './server-record.js';
export { storedSecret } from './stored-secret.js';
export { type SupervisedServer, supervise } from './supervise.js';
