export { DesktopLifecycle } from './desktop-lifecycle.js';
export { DesktopQueries } from './desktop-queries.js';
export { DesktopsModule } from './desktops.module.js';
export { DisplaySeal, type DisplayTarget } from './display-seal.js';
export { HostRegistry, type HostReport } from './host-registry.js';
export { STARTS_PER_VCPU } from './place-desktops.js';
export { PoolController } from './pool-controller.js';
export { PoolService } from './pool-service.js';
