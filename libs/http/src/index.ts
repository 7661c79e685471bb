export { HttpModule } from './http.module.js';
export { createHttpApp, type HttpAppOptions } from './http-app.js';
export { OriginPolicy, type OriginPolicyOptions } from './origin-policy.js';
export { asDomainError, ProblemFilter } from './problem.filter.js';
export { InvalidRequestError, problemOf } from './problem.js';
export { Public, publicKey } from './public.decorator.js';
export { type ReadinessCheck, ReadinessChecks, type ReadinessReport } from './readiness-checks.js';
export { SchemaPipe } from './schema.pipe.js';
export { refuseUpgrade, UpgradeDispatcher, type UpgradeHandler } from './upgrade-dispatcher.js';
