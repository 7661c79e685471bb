import type { ImageVersionView, ImageView } from '#libs/contracts';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { bytes, minute } from '../text/format.js';
import { table } from '../text/table.js';

/** Golden images, a line for each version. */
export async function listImages(context: CommandContext): Promise<CommandResult> {
  const images = await (await context.broker()).images();
  return { document: images, text: imageTable(images) };
}

const imageTable = (images: readonly ImageView[]): string =>
  table(
    ['name', 'version', 'state', 'size', 'stored', 'on hosts', 'digest', 'made at'],
    images.flatMap(({ name, versions }) =>
      versions.map((version) => [
        name,
        version.number,
        stateOf(version),
        bytes(version.sizeBytes),
        version.storedBytes === null ? '-' : bytes(version.storedBytes),
        hostsOf(version),
        version.digest.slice(0, 12),
        minute(version.createdAt),
      ]),
    ),
    'There are no golden images: make one with goldleaf image build',
  );

const stateOf = ({ state, failure }: ImageVersionView): string => (failure === null ? state : `${state}: ${failure}`);

function hostsOf({ hosts }: ImageVersionView): string {
  const ready = hosts.filter((host) => host.ready).length;
  return ready === hosts.length ? `${ready}` : `${ready} of ${hosts.length}`;
}

/** Has new desktops start from a version. */
export async function publishImage(context: CommandContext, name: string, number: number): Promise<CommandResult> {
  const version = await (await context.broker()).publishImage(name, number);
  return { document: version, text: servingText(version) };
}

/** Goes back to the version that served before, or to an earlier one. */
export async function rollBackImage(
  context: CommandContext,
  name: string,
  number: number | undefined,
): Promise<CommandResult> {
  const broker = await context.broker();
  const versions = await broker.imageVersions(name);
  const from = number ?? versions.find(({ state }) => state === 'published')?.number;
  if (from === undefined) throw new CliError(`No version of ${name} serves, so there is nothing to take back`);
  const version = await broker.rollBackImage(name, from);
  return { document: version, text: servingText(version) };
}

/** What becomes of a version that was asked for. */
export const servingText = ({ image, number, state }: ImageVersionView): string =>
  state === 'published'
    ? `New desktops start from version ${number} of ${image}`
    : `New desktops start from version ${number} of ${image} as soon as a host is ready for it (${state})`;
