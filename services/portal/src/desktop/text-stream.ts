import type * as GuacamoleTypes from 'guacamole-common-js';
import Guacamole from 'guacamole-common-js';

// The StringReader and StringWriter of guacamole-common-js 1.5 break characters beyond U+FFFF.

/** Sends `text` in blobs that are short enough for guacd, and ends the stream. */
export function writeText(stream: GuacamoleTypes.OutputStream, text: string): void {
  const writer = new Guacamole.ArrayBufferWriter(stream);
  writer.sendData(new TextEncoder().encode(text));
  writer.sendEnd();
}

/** Calls `onText` with the whole text of a stream when it has ended. */
export function readText(stream: GuacamoleTypes.InputStream, onText: (text: string) => void): void {
  const reader = new Guacamole.ArrayBufferReader(stream);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let text = '';
  reader.ondata = (bytes) => {
    text += decoder.decode(bytes, { stream: true });
  };
  reader.onend = () => onText(text + decoder.decode());
}
