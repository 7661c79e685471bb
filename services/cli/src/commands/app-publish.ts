import { type LayerFolder, loadHostSigningKey, readLayerFolder, signLayer, storeLayer } from '#libs/app-layers';
import type { AppRing, AppView } from '#libs/contracts';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { withVolumeStore } from '../store/with-volume-store.js';

/** Signs, stores and registers a layer that was built before. */
export async function publishApp(
  context: CommandContext,
  dir: string,
  { ring }: { readonly ring: AppRing },
): Promise<CommandResult> {
  // Whoever may not register need not fill the store.
  await (await context.broker()).images();
  return publishFrom(context, dir, ring);
}

/** The same, when it is known already that the broker answers. */
export async function publishFrom(context: CommandContext, dir: string, ring: AppRing): Promise<CommandResult> {
  const { env, messages, signal } = context;
  const layer = await readLayerFolder(dir);
  const { name, label, volumeId } = layer.manifest;
  const document = await withVolumeStore(env, { mustExist: false }, async ({ config, volumes }) => {
    const key = await loadHostSigningKey(config.stateDir);
    const onProgress = (fraction: number) => messages.progress(`storing ${name}`, fraction);
    await storeLayer(volumes, layer, { signal, onProgress });
    return signLayer(layer.manifest, key);
  });
  messages.progress(`registering ${name}`, 1);
  const app = await register(context, layer, () =>
    context.broker().then((b) => b.registerApp(name, { layer: document, ring })),
  );
  const version = app.versions.find((each) => each.volumeId === volumeId);
  const given = version ? `version ${version.number} (${label}) in the ring ${version.ring}` : label;
  const next = app.assignments.length === 0 ? `\nNobody gets it yet: goldleaf app assign ${name} ROLE` : '';
  return { document: app, text: `Published ${name} ${given}${next}` };
}

async function register(context: CommandContext, layer: LayerFolder, work: () => Promise<AppView>): Promise<AppView> {
  try {
    return await work();
  } catch (error) {
    const dir = layer.layerPath.slice(0, layer.layerPath.lastIndexOf('/'));
    const onward = `The layer is in the store and not registered. goldleaf app publish ${dir} goes on from here.`;
    if (error instanceof CliError) throw new CliError(`${error.message}\n${onward}`, error.code, error.details);
    if (context.signal.aborted) context.messages.line(onward);
    throw error;
  }
}
