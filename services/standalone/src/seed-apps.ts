import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import {
  appVolume,
  type LayerFolder,
  makeHostSigningKey,
  readLayerFolder,
  signLayer,
  storeLayer,
  trustKeys,
} from '#libs/app-layers';
import { AppAssignments, AppCatalogue, AppRegistration } from '#libs/apps';
import type { AppConfig } from '#libs/config';
import type { AppView } from '#libs/contracts';
import { PoolService } from '#libs/desktops';
import type { BuiltImage } from '#libs/images';
import { DomainError, errors } from '#libs/kernel';
import type { Logger } from '#libs/telemetry';
import { VolumeStore } from '#libs/volumes';
import { buildDemoLayer } from './build-demo-layer.js';
import { type DemoApp, demoAppRecipe, demoApps, demoLayerDir } from './demo-apps.js';
import type { Terminal } from './terminal.js';

const POOL = 'call-center';
const LOOK_AGAIN_MS = 2_000;
/** Then something else keeps the pool from having a desktop, and the applications may as well be built. */
const DESKTOP_PATIENCE_MS = 600_000;
const FOLDER = /^[0-9a-f]{16}$/;

export interface SeedApps {
  readonly app: INestApplicationContext;
  readonly config: Pick<AppConfig, 'stateDir' | 'appKeysDir'>;
  readonly image: BuiltImage;
  readonly terminal: Terminal;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Builds the demo's applications for this golden image, signs them with this state folder's own key, stores and registers
 * them, and gives each new one to its role; what an earlier start did is found done. Never rejects: a demo without
 * applications is told of, and is a demo all the same.
 */
export async function seedApps(parts: SeedApps): Promise<void> {
  const { terminal, logger, signal } = parts;
  const beganAt = performance.now();
  for (const demo of demoApps) {
    try {
      const startedAt = await seedApp(parts, demo);
      if (startedAt === undefined) continue;
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      terminal.line(`  ✓ Application ${demo.name}: for ${demo.role}, from the next logon on (${seconds} s)`);
    } catch (error) {
      if (signal.aborted) return;
      logger.info({ err: error, app: demo.name }, 'a demo application could not be made');
      const reason = error instanceof Error ? error.message : String(error);
      terminal.warn(`Application ${demo.name} could not be made, all else works: ${reason}`);
      return;
    }
  }
  logger.info({ durationMs: Math.round(performance.now() - beganAt) }, 'demo applications are as they should be');
}

/** @returns when the work began; undefined when there was nothing to do */
async function seedApp(parts: SeedApps, demo: DemoApp): Promise<number | undefined> {
  const { app, config, image, terminal, signal } = parts;
  const dir = await demoLayerDir(config.stateDir, demo, image.manifest.digest);
  const known = await viewOf(app, demo);
  const earlier = await readLayerFolder(dir).catch(() => undefined);
  const volumes = app.get(VolumeStore, { strict: false });
  if (earlier && (await isPublished(volumes, known, earlier)) && wasAssigned(config, demo)) return undefined;
  if (!earlier) await desktopIsUp(app, signal);
  const startedAt = performance.now();
  if (!earlier) {
    terminal.line(`  … Application ${demo.name} is being built, in the background`);
    const places = { recipeDir: demoAppRecipe(demo), imageDir: image.dir, outDir: dir, stateDir: config.stateDir };
    await buildDemoLayer({ ...places, signal });
  }
  const layer = earlier ?? (await readLayerFolder(dir));
  await publish(parts, volumes, layer);
  // What IT changed later stays changed.
  if (!known || !wasAssigned(config, demo)) {
    const assignment = { kind: 'assigned', version: null, ring: 'broad', mode: 'at-logon', now: false } as const;
    await app.get(AppAssignments, { strict: false }).assign(demo.name, demo.role, assignment, 'system');
    await rememberAssigned(config, demo);
  }
  await removeOtherLayers(dir);
  return startedAt;
}

async function publish({ app, config, signal }: SeedApps, volumes: VolumeStore, layer: LayerFolder): Promise<void> {
  const key = await makeHostSigningKey(config.stateDir);
  await trustKeys(config.appKeysDir, key.publicKeyPem);
  await storeLayer(volumes, layer, { signal });
  const document = signLayer(layer.manifest, key);
  const registration = app.get(AppRegistration, { strict: false });
  await registration.register(layer.manifest.name, { layer: document, ring: 'broad' }, 'system');
}

async function isPublished(volumes: VolumeStore, known: AppView | undefined, layer: LayerFolder): Promise<boolean> {
  const { name, volumeId } = layer.manifest;
  if (!known?.versions.some((version) => version.volumeId === volumeId)) return false;
  return (await volumes.listVersions(appVolume(name))).some(({ id }) => id === volumeId);
}

async function viewOf(app: INestApplicationContext, { name }: DemoApp): Promise<AppView | undefined> {
  try {
    return await app.get(AppCatalogue, { strict: false }).view(name);
  } catch (error) {
    if (DomainError.is(error, errors.notFound)) return undefined;
    throw error;
  }
}

/** The first desktops come first: a build takes the processor, and apt, for a while. */
async function desktopIsUp(app: INestApplicationContext, signal: AbortSignal): Promise<void> {
  const pools = app.get(PoolService, { strict: false });
  for (const startedAt = Date.now(); Date.now() - startedAt < DESKTOP_PATIENCE_MS; ) {
    const { counts, spares, mode } = await pools.view(POOL);
    const isWarm = counts.available >= spares && counts.provisioning === 0;
    if (isWarm || counts.assigned > 0 || mode !== 'active') return;
    await pause(LOOK_AGAIN_MS, undefined, { signal });
  }
}

const markerOf = ({ stateDir }: Pick<AppConfig, 'stateDir'>, { name }: DemoApp): string =>
  join(stateDir, 'demo-apps', name);

const wasAssigned = (config: Pick<AppConfig, 'stateDir'>, demo: DemoApp): boolean => existsSync(markerOf(config, demo));

async function rememberAssigned(config: Pick<AppConfig, 'stateDir'>, demo: DemoApp): Promise<void> {
  const marker = markerOf(config, demo);
  await mkdir(dirname(marker), { recursive: true });
  await writeFile(marker, `to ${demo.role}, once; what IT decides later stays\n`);
}

/** Of earlier recipes and images; their versions stay in the store for as long as IT wants them. */
async function removeOtherLayers(dir: string): Promise<void> {
  const parent = dirname(dir);
  for (const name of await readdir(parent)) {
    if (FOLDER.test(name) && join(parent, name) !== dir) await rm(join(parent, name), { recursive: true, force: true });
  }
}
