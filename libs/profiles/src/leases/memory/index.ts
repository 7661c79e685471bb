export { MemoryLeaseWorld } from './memory-lease-world.js';
export { MemoryProfileLeases } from './memory-profile-leases.js';
