import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { type AppIcon, MAX_ICON_BYTES } from '#libs/contracts';
import { AppLayerError } from '../app-layer-error.js';

/** Best first: sharp where it is shown, and small. */
const SIZES = ['64x64', '48x48', '96x96', '128x128', '256x256', '32x32', 'scalable', '24x24', '22x22', '16x16'];

/**
 * The picture of a desktop file's `Icon`: a path, or a name that is looked for in icon themes and pixmaps.
 * @param roots folders of root file systems, the layer before the golden image
 * @throws AppLayerError 'recipe-invalid' when there is none of a fitting size
 */
export async function findIcon(icon: string | undefined, roots: readonly string[]): Promise<AppIcon> {
  for (const root of icon ? roots : []) {
    for await (const path of candidates(root, icon ?? '')) {
      const found = await readIcon(join(root, path));
      if (found) return found;
    }
  }
  throw new AppLayerError(
    'recipe-invalid',
    `no picture "${icon ?? ''}" (PNG or SVG, at most ${MAX_ICON_BYTES / 1024} KiB): name one in the recipe's "icon"`,
  );
}

/** @returns undefined when there is none, or it is too large or of another kind */
export async function readIcon(path: string): Promise<AppIcon | undefined> {
  const content = await readFile(path).catch(() => undefined);
  if (!content || content.length === 0 || content.length > MAX_ICON_BYTES) return undefined;
  const isPng = content.subarray(1, 4).toString('latin1') === 'PNG';
  if (!isPng && extname(path) !== '.svg') return undefined;
  return { mediaType: isPng ? 'image/png' : 'image/svg+xml', base64: content.toString('base64') };
}

async function* candidates(root: string, icon: string): AsyncIterable<string> {
  if (icon.startsWith('/')) return yield icon.slice(1);
  const name = icon.replace(/\.(png|svg|xpm)$/, '');
  const themes = await foldersOf(join(root, 'usr/share/icons'));
  for (const ending of ['png', 'svg']) {
    for (const size of SIZES) {
      for (const theme of themes.sort(
        (a, b) => Number(b === 'hicolor') - Number(a === 'hicolor') || (a < b ? -1 : 1),
      )) {
        for (const kind of ['apps', 'legacy', 'categories', 'mimetypes']) {
          yield `usr/share/icons/${theme}/${size}/${kind}/${name}.${ending}`;
        }
      }
    }
    yield `usr/share/pixmaps/${name}.${ending}`;
  }
}

async function foldersOf(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}
