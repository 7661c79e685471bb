import { isUtf8 } from 'node:buffer';
import { inflateSync } from 'node:zlib';
import { RfbError } from './rfb-reading.js';

/** The pseudo encoding with which a viewer says that it speaks the extended clipboard. */
export const EXTENDED_CLIPBOARD = 0xc0a1e5ce;

const TEXT = 1 << 0;
const CAPS = 1 << 24;
const REQUEST = 1 << 25;
const NOTIFY = 1 << 27;
const PROVIDE = 1 << 28;

const CLIENT_CUT_TEXT = 6;
const SIZE_BYTES = 4;
const TRAILING_NULS = /\0+$/;

/** What a server says in a cut text of the extended kind. */
export type ClipboardWord =
  | { readonly kind: 'caps' }
  /** Something was copied; `text` when it can be had as text. */
  | { readonly kind: 'notify'; readonly text: boolean }
  /** What was copied, compressed. */
  | { readonly kind: 'provide'; readonly compressed: Buffer }
  | { readonly kind: 'other' };

/**
 * @param body of the cut text, flags first
 * @throws RfbError when it has no flags
 */
export function readClipboardWord(body: Buffer): ClipboardWord {
  if (body.length < 4) throw new RfbError('cut text without flags');
  const flags = body.readUInt32BE(0);
  if (flags & CAPS) return { kind: 'caps' };
  if (flags & NOTIFY) return { kind: 'notify', text: (flags & TEXT) !== 0 };
  if (flags & PROVIDE && flags & TEXT) return { kind: 'provide', compressed: body.subarray(4) };
  return { kind: 'other' };
}

/**
 * The text of a `provide`, with line feeds at the ends of its lines.
 * @returns undefined when it is not such a text or longer than `maxBytes`
 */
export function inflateText(compressed: Buffer, maxBytes: number): string | undefined {
  try {
    const bytes = inflateSync(compressed, { maxOutputLength: SIZE_BYTES + maxBytes });
    const end = SIZE_BYTES + bytes.readUInt32BE(0);
    const text = bytes.subarray(SIZE_BYTES, end);
    if (end > bytes.length || !isUtf8(text)) return undefined;
    return text.toString('utf8').replace(TRAILING_NULS, '').replaceAll('\r\n', '\n');
  } catch {
    return undefined;
  }
}

/** What is understood here: text, announced first. A limit of 0 says that none is to be sent unasked. */
export const clipboardCaps = (): Buffer => cutText(CAPS | NOTIFY | PROVIDE | TEXT, 0);

/** Asks for the text that was announced. */
export const clipboardRequest = (): Buffer => cutText(REQUEST | TEXT);

function cutText(...words: number[]): Buffer {
  const message = Buffer.alloc(8 + 4 * words.length);
  message.writeUInt8(CLIENT_CUT_TEXT, 0);
  // A negative length marks the extended kind.
  message.writeInt32BE(-4 * words.length, 4);
  for (const [index, word] of words.entries()) message.writeUInt32BE(word >>> 0, 8 + 4 * index);
  return message;
}
