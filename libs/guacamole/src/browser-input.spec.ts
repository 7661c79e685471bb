import { describe, expect, it } from '@jest/globals';
import { readBrowserMessage } from './browser-input.js';
import { encodeInstruction, type Instruction } from './instruction.js';
import { GuacamoleProtocolError } from './protocol-error.js';
import { COPY_STREAM } from './relay-clipboard.js';

const encode = (...instructions: Instruction[]): string => instructions.map((each) => encodeInstruction(each)).join('');

describe('readBrowserMessage', () => {
  it('passes input on', () => {
    const sent = encode(['key', '97', '1'], ['mouse', '10', '20', '1'], ['clipboard', '0', 'text/plain'], ['end', '0']);
    expect(readBrowserMessage(sent, 'code-points')).toEqual({
      toGuacd: sent,
      toBrowser: '',
      disconnect: false,
      denied: 0,
    });
  });

  it.each(['select', 'connect', 'audio', 'file', 'put', 'get', 'pipe', 'argv', 'args', 'Key'])(
    'leaves out %s',
    (opcode) => {
      const read = readBrowserMessage(encode([opcode, '1'], ['nop']), 'code-points');
      expect(read).toMatchObject({ toGuacd: '3.nop;', denied: 1 });
    },
  );

  it('keeps the answer to a text that the gateway brought from guacd, which knows nothing of it', () => {
    const acks = encode(['ack', COPY_STREAM, 'OK', '0'], ['ack', '1', 'OK', '0']);
    const read = readBrowserMessage(acks, 'code-points');
    expect(read).toMatchObject({ toGuacd: encode(['ack', '1', 'OK', '0']), denied: 0 });
  });

  it("answers the tunnel's ping and never shows it to guacd", () => {
    const ping = encode(['', 'ping', '1700000000000']);
    expect(readBrowserMessage(ping, 'code-points')).toMatchObject({ toGuacd: '', toBrowser: ping });
  });

  it('turns UTF-16 lengths into what guacd counts', () => {
    const read = readBrowserMessage('3.ack,1.0,2.😀,1.0;', 'utf-16');
    expect(read.toGuacd).toBe('3.ack,1.0,1.😀,1.0;');
    expect(() => readBrowserMessage('3.ack,1.0,2.😀,1.0;', 'code-points')).toThrow(GuacamoleProtocolError);
  });

  it('sees a goodbye', () => {
    expect(readBrowserMessage('10.disconnect;', 'code-points').disconnect).toBe(true);
  });

  it('takes an instruction of 8 KiB and not one byte more', () => {
    const blobOf = (bytes: number): string => {
      const overhead = encodeInstruction(['blob', '0', 'x'.repeat(8000)]).length - 8000;
      return encodeInstruction(['blob', '0', 'x'.repeat(bytes - overhead)]);
    };
    expect(readBrowserMessage(blobOf(8192), 'code-points').toGuacd).toHaveLength(8192);
    expect(() => readBrowserMessage(blobOf(8193), 'code-points')).toThrow(GuacamoleProtocolError);
  });

  it.each(['3.key', '3.key,', '3.key,1.a', 'key;', '99999999.x;', '3.key:', '4.key;', `${'1.a,'.repeat(200)}1.a;`])(
    'refuses %s',
    (sent) => {
      expect(() => readBrowserMessage(sent, 'code-points')).toThrow(GuacamoleProtocolError);
    },
  );
});
