import { setTimeout as delay } from 'node:timers/promises';
import { type GuestAppsReport, type HypervisorDriver, startGuestApp, syncGuestApps } from '#libs/hypervisor';
import { until } from '#libs/testing';
import type { AppHost } from './app-host.js';
import type { ShelvedLayer } from './layer-shelf.js';

const ATTACH_TIMEOUT_MS = 60_000;
const GUEST_TIMEOUT_MS = 120_000;
const START_TIMEOUT_MS = 400_000;
const QUIET_MS = 5_000;

/** A desktop and the host that serves its volumes. */
export interface Desktop {
  readonly host: AppHost;
  readonly driver: HypervisorDriver;
  readonly machineId: string;
}

export interface AttachTimes {
  /** Until the machine has the disk. */
  readonly hostMs: number;
  /** Until the application is in the menu. */
  readonly wholeMs: number;
  /** Of it, by the guest's clock. */
  readonly guestMs: GuestAppsReport['guestMs'];
}

/** What happens at a logon: the machine gets the volume, and its guest merges it. */
export async function attachApp({ host, driver, machineId }: Desktop, layer: ShelvedLayer): Promise<AttachTimes> {
  const from = performance.now();
  await host.attacher.attach(machineId, layer, AbortSignal.timeout(ATTACH_TIMEOUT_MS));
  const hostMs = performance.now() - from;
  const wanted = [{ name: layer.name, mode: 'attached', volumeId: layer.versionId } as const];
  const { apps, guestMs } = await syncGuestApps(driver, machineId, wanted, { timeoutMs: GUEST_TIMEOUT_MS });
  const failed = apps.find(({ state }) => state !== 'ready');
  if (failed) throw new Error(`the guest did not get ${layer.name}: ${JSON.stringify(failed)}`);
  return { hostMs, wholeMs: performance.now() - from, guestMs };
}

/** The guest lets go of all applications, and the machine of the volume. */
export async function detachApp({ host, driver, machineId }: Desktop, layer: ShelvedLayer): Promise<void> {
  await syncGuestApps(driver, machineId, [], { timeoutMs: GUEST_TIMEOUT_MS });
  await host.attacher.detach(machineId, layer.versionId, AbortSignal.timeout(ATTACH_TIMEOUT_MS));
}

export interface StartBytes {
  readonly windowMs: number;
  /** Fetched by the host until the window was there. */
  readonly atWindow: number;
  /** Fetched until nothing more came for some seconds. */
  readonly settled: number;
}

/** Starts the application, waits for its window, and then until nothing more is fetched. */
export async function startApp(desktop: Desktop, { name }: ShelvedLayer, window: RegExp): Promise<StartBytes> {
  const { host, driver, machineId } = desktop;
  const from = performance.now();
  await startGuestApp(driver, machineId, name, { timeoutMs: START_TIMEOUT_MS });
  const listWindows = 'runuser -u user -- env DISPLAY=:0 wmctrl -l';
  await until(`the window of ${name}`, async () => window.test(await inGuest(desktop, listWindows)), START_TIMEOUT_MS);
  const windowAt = performance.now();
  const atWindow = host.store.fetchedBytes;
  const isQuiet = () => performance.now() > Math.max(host.store.lastFetchAt, windowAt) + QUIET_MS;
  await until('nothing more is fetched', isQuiet, START_TIMEOUT_MS);
  return { windowMs: windowAt - from, atWindow, settled: host.store.fetchedBytes };
}

/** Bytes that the guest has asked of its volumes so far, through its caches. */
export async function bytesReadByGuest(desktop: Desktop): Promise<number> {
  const stats = await inGuest(desktop, 'cat /sys/block/sd*/stat');
  return stats.split('\n').reduce((sum, line) => sum + 512 * Number(line.trim().split(/\s+/)[2] ?? 0), 0);
}

/** The files of the layer of which anything was read since the desktop was forked, below the root. */
export async function filesRead(desktop: Desktop, name: string): Promise<string[]> {
  const list = `cd /run/extensions/${name} && find usr -type f -not -path 'usr/.goldleaf/*' -print0`;
  const output = await inGuest(desktop, `${list} | xargs -0 fincore --bytes --noheadings --raw --output RES,FILE`);
  const paths = output.split('\n').flatMap((line) => /^[1-9]\d* (.+)$/.exec(line)?.[1] ?? []);
  return paths.filter((path) => !path.startsWith('usr/lib/extension-release.d/')).sort();
}

/** What a shell script prints in the guest, as root. */
async function inGuest({ driver, machineId }: Desktop, script: string): Promise<string> {
  await delay(200);
  const command = { path: '/bin/sh', args: ['-c', script], timeoutMs: GUEST_TIMEOUT_MS };
  return (await driver.runInGuest(machineId, command)).stdout;
}
