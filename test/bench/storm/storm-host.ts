import { FakeHost } from '#libs/hypervisor';

/** As fast as a fork, on a host so large that the machines are never what is waited for. */
export function stormHost(): FakeHost {
  const host = new FakeHost({ bootTimeMs: 0, createTimeMs: 100, forks: true });
  host.totals = { vcpus: 64, memoryMiB: 64 * 1024 * 1024, diskMiB: 64 * 1024 * 1024 };
  return host;
}
