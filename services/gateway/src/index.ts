export type { ConnectionRegistry } from './connection-registry.js';
export { GatewayModule } from './gateway.module.js';
export { defaultGatewayOptions, type GatewayOptions } from './gateway-options.js';
export { TunnelEndpoint, type TunnelEndpointParts } from './tunnel-endpoint.js';
