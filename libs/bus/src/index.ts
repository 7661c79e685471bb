export { BusModule, REDIS } from './bus.module.js';
export { createRedis } from './create-redis.js';
export { type BusSink, MessageBus } from './message-bus.js';
