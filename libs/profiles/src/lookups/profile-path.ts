const MAX_PATH_BYTES = 4096;
const BACKSLASH = '\\';

/** What a terminal or a screen would not show as it is: controls, formats that reorder text, line ends, unassigned. */
const notShown = /[\p{C}\p{Zl}\p{Zp}]/u;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A name of a file system as text: bytes that are no printable text as `\xHH`, a backslash as `\\`. */
export function showName(name: Uint8Array): string {
  let shown = '';
  for (let at = 0; at < name.length; ) {
    const length = Math.min(lengthOf(name[at] ?? 0), name.length - at);
    const text = textOf(name.subarray(at, at + length));
    if (text === undefined || notShown.test(text)) {
      shown += `${BACKSLASH}x${(name[at] ?? 0).toString(16).padStart(2, '0')}`;
      at += 1;
    } else {
      shown += text === BACKSLASH ? BACKSLASH + BACKSLASH : text;
      at += length;
    }
  }
  return shown;
}

/**
 * The bytes of a path that was written so (see `profilePathSchema`), without slashes at its ends and doubled ones.
 * @returns null when it is longer than paths are, or not written so
 */
export function readPath(text: string): Buffer | null {
  const parts = text.match(/\\x[0-9a-fA-F]{2}|\\\\|[^\\]+/g) ?? [];
  if (parts.join('') !== text) return null;
  const bytes = Buffer.concat(
    parts.map((part) => {
      if (part.startsWith(`${BACKSLASH}x`)) return Buffer.from(part.slice(2), 'hex');
      return Buffer.from(part === BACKSLASH + BACKSLASH ? BACKSLASH : part);
    }),
  );
  const path = Buffer.from(bytes.toString('latin1').split('/').filter(Boolean).join('/'), 'latin1');
  return path.length > MAX_PATH_BYTES || path.includes(0) ? null : path;
}

/** Of the character that begins with this byte, were it UTF-8. */
const lengthOf = (first: number): number => (first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1);

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
