export { BusModule, REDIS } from './bus.module.js';
export { createRedis } from './create-redis.js';
export { MessageBus } from './message-bus.js';
