import type { ImageView } from '#libs/contracts';
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
    ['name', 'version', 'state', 'size', 'digest', 'made at'],
    images.flatMap(({ name, versions }) =>
      versions.map(({ number, state, sizeBytes, digest, createdAt }) => [
        name,
        number,
        state,
        bytes(sizeBytes),
        digest.slice(0, 12),
        minute(createdAt),
      ]),
    ),
    'There are no golden images: make one with goldleaf image build',
  );
