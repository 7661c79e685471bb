import { describe, expect, it } from '@jest/globals';
import { Messages } from './messages.js';

function streamOf(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, write: (text: string | Uint8Array) => written.push(String(text)) > 0 };
}

describe('Messages', () => {
  it('says each step once where nobody watches', () => {
    const stream = streamOf(false);
    const messages = new Messages(stream);
    for (const fraction of [0, 0.3, 0.6]) messages.progress('packing', fraction);
    messages.progress('storing', 0.7);
    messages.line('done');
    expect(stream.written).toEqual(['packing ...\n', 'storing ...\n', 'done\n']);
  });
});
