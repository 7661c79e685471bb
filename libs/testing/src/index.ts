export { makeIdleImage } from './idle-image.js';
export { prepareParents } from './prepare-parents.js';
export { runFolder } from './run-folder.js';
export { type Slapd, type SlapdOptions, startSlapd } from './slapd.js';
export { createTestDatabase, type TestDatabase } from './test-database.js';
export { testGuacd } from './test-guacd.js';
export { builtTestImage, testImage } from './test-image.js';
export { createTestRedis, type TestRedis } from './test-redis.js';
export { until } from './until.js';
