import type { HostView, PoolView } from '#libs/contracts';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { bytes, list, minute } from '../text/format.js';
import { table } from '../text/table.js';

const MIB = 1024 * 1024;

/** Pools and how they are. */
export async function listPools(context: CommandContext): Promise<CommandResult> {
  const pools = await (await context.broker()).pools();
  return { document: pools, text: poolTable(pools) };
}

const poolTable = (pools: readonly PoolView[]): string =>
  table(
    ['name', 'image', 'roles', 'mode', 'spares', 'in use', 'waiting', 'quarantine', 'max'],
    pools.map(({ name, image, imageVersion, roles, mode, spares, counts, queue, max }) => [
      name,
      imageVersion === null ? `${image} (none)` : `${image} ${imageVersion}`,
      list(roles),
      mode,
      `${counts.available} of ${spares}`,
      counts.assigned,
      queue.length,
      counts.quarantined,
      max,
    ]),
    'There are no pools',
  );

/** Hypervisor hosts and how they are. */
export async function listHosts(context: CommandContext): Promise<CommandResult> {
  const hosts = await (await context.broker()).hosts();
  return { document: hosts, text: hostTable(hosts) };
}

const hostTable = (hosts: readonly HostView[]): string =>
  table(
    ['name', 'state', 'driver', 'machines', 'memory left', 'disk left', 'last seen'],
    hosts.map((host) => [
      host.name,
      stateOf(host),
      host.driver,
      host.machines,
      bytes(host.availableMemoryMiB * MIB),
      bytes(host.availableDiskMiB * MIB),
      minute(host.lastSeenAt),
    ]),
    'There are no hosts: each registers itself when its provisioner starts',
  );

const stateOf = ({ fencedAt, online, mode }: HostView): string =>
  fencedAt !== null ? `fenced since ${minute(fencedAt)}` : online ? mode : 'silent';

/** Gives a host up. */
export async function fenceHost(context: CommandContext, name: string): Promise<CommandResult> {
  await (await context.broker()).fenceHost(name, true);
  const text =
    `${name} is given up: its people get other desktops, with their work as it was last saved. ` +
    `When it comes back it destroys all its machines; goldleaf host unfence ${name} then`;
  return { document: { name, fenced: true }, text };
}

/** Takes a host back that was given up. */
export async function unfenceHost(context: CommandContext, name: string): Promise<CommandResult> {
  await (await context.broker()).fenceHost(name, false);
  return {
    document: { name, fenced: false },
    text: `${name} is taken back, and goes on draining until told otherwise`,
  };
}
