import { RfbError, type RfbReading, skip } from './rfb-reading.js';

const FRAMEBUFFER_UPDATE = 0;
const COLOUR_MAP = 1;
const BELL = 2;
const CUT_TEXT = 3;

const RAW = 0;
const COPY_RECT = 1;
const DESKTOP_SIZE = -223;
const LAST_RECT = -224;
const EXTENDED_DESKTOP_SIZE = -308;

const SET_ENCODINGS = 2;

export interface RfbMessagesOptions {
  readonly bytesPerPixel: number;
  /** An extended cut text longer than this is left out. */
  readonly maxBodyBytes: number;
  /** A cut text of the extended kind has come. */
  onClipboard(body: Buffer): void;
}

/**
 * Reads what a server says, for ever, and keeps only its extended cut texts.
 * @throws RfbError at anything that a server may say only to those who asked for it: its length is not known
 */
export function* rfbMessages(options: RfbMessagesOptions): RfbReading<never> {
  for (;;) {
    switch ((yield 1).readUInt8(0)) {
      case FRAMEBUFFER_UPDATE:
        yield* skipUpdate(options.bytesPerPixel);
        break;
      case COLOUR_MAP:
        yield* skip(6 * (yield 5).readUInt16BE(3));
        break;
      case BELL:
        break;
      case CUT_TEXT:
        yield* readCutText(options);
        break;
      default:
        throw new RfbError('unknown message');
    }
  }
}

function* readCutText({ maxBodyBytes, onClipboard }: RfbMessagesOptions): RfbReading {
  const length = (yield 7).readInt32BE(3);
  // A plain text is what guacd gets as well.
  if (length >= 0 || -length > maxBodyBytes) yield* skip(Math.abs(length));
  else onClipboard(yield -length);
}

/** Nothing of the picture is asked for, but a change of its size may be said all the same. */
function* skipUpdate(bytesPerPixel: number): RfbReading {
  const rectangles = (yield 3).readUInt16BE(1);
  for (let count = 0; count < rectangles; count++) {
    const head = yield 12;
    const encoding = head.readInt32BE(8);
    if (encoding === LAST_RECT) return;
    if (encoding === RAW) yield* skip(head.readUInt16BE(4) * head.readUInt16BE(6) * bytesPerPixel);
    else if (encoding === COPY_RECT) yield* skip(4);
    else if (encoding === EXTENDED_DESKTOP_SIZE) yield* skip(16 * (yield 4).readUInt8(0));
    else if (encoding !== DESKTOP_SIZE) throw new RfbError('unknown encoding');
  }
}

/** Tells the server which encodings are understood here. */
export function setEncodings(...encodings: number[]): Buffer {
  const message = Buffer.alloc(4 + 4 * encodings.length);
  message.writeUInt8(SET_ENCODINGS, 0);
  message.writeUInt16BE(encodings.length, 2);
  for (const [index, encoding] of encodings.entries()) message.writeUInt32BE(encoding >>> 0, 4 + 4 * index);
  return message;
}
