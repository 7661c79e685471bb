import { describe, expect, it } from '@jest/globals';
import { ByteQueue } from './byte-queue.js';
import { clientFlags, encodeOption, encodeRequest, goPayload, metaPayload } from './client-messages.js';
import { Handshake, type Negotiated, type OfferedExport } from './handshake.js';
import { option, optionReply } from './protocol.js';

const volume: OfferedExport = { name: 'volume', description: 'for people', sizeBytes: 2 ** 40 + 5 };
const directory = { names: () => [volume.name], find: (name: string) => (name === volume.name ? volume : undefined) };

interface Outcome {
  readonly replies: (readonly [option: number, type: number])[];
  readonly negotiated: Negotiated<OfferedExport> | undefined;
  readonly left: number;
  readonly sent: string;
}

function shake(...pieces: Buffer[]): Outcome {
  const handshake = new Handshake(directory);
  const input = new ByteQueue();
  const sent: Buffer[] = [];
  for (const piece of pieces) {
    input.push(piece);
    sent.push(...handshake.advance(input));
  }
  const replies = sent
    .filter((reply) => reply.length >= 20)
    .map((reply) => [reply.readUInt32BE(8), reply.readUInt32BE(12)] as const);
  return { replies, negotiated: handshake.negotiated, left: input.length, sent: Buffer.concat(sent).toString('hex') };
}

describe('Handshake', () => {
  const dialogue = Buffer.concat([
    clientFlags,
    encodeOption(5),
    encodeOption(option.structuredReply),
    encodeOption(option.list),
    encodeOption(option.listMetaContext, metaPayload('volume')),
    encodeOption(option.setMetaContext, metaPayload('volume', 'qemu:dirty-bitmap:x', 'base:allocation')),
    encodeOption(option.info, goPayload('unknown')),
    encodeOption(option.go, goPayload('volume', 1, 2, 3)),
    encodeRequest(0, 1, 0, 512),
  ]);

  it('answers each option in its way and leaves the first request', () => {
    const { replies, negotiated, left } = shake(dialogue);
    expect(replies).toEqual([
      [5, optionReply.unsupported],
      [option.structuredReply, optionReply.ack],
      [option.list, optionReply.server],
      [option.list, optionReply.ack],
      [option.listMetaContext, optionReply.metaContext],
      [option.listMetaContext, optionReply.ack],
      [option.setMetaContext, optionReply.metaContext],
      [option.setMetaContext, optionReply.ack],
      [option.info, optionReply.unknownExport],
      ...Array.from({ length: 4 }, () => [option.go, optionReply.info] as const),
      [option.go, optionReply.ack],
    ]);
    expect(negotiated).toEqual({ export: volume, structured: true, allocation: true });
    expect(left).toBe(28);
  });

  it('understands the same wherever it is split', () => {
    const whole = shake(dialogue);
    for (let at = 1; at < dialogue.length; at++) {
      expect(shake(dialogue.subarray(0, at), dialogue.subarray(at))).toEqual(whole);
    }
    expect(shake(...Array.from(dialogue, (byte) => Buffer.from([byte])))).toEqual(whole);
  });

  it('refuses politely what an option does not hold, and what comes too early', () => {
    const refused = [
      encodeOption(option.go, Buffer.from([0, 0, 0, 9, 1])),
      encodeOption(option.list, Buffer.from('x')),
      encodeOption(option.setMetaContext, metaPayload('volume', 'base:allocation')),
    ];
    const { replies, negotiated } = shake(clientFlags, ...refused);
    expect(replies.map(([, type]) => type)).toEqual(refused.map(() => optionReply.invalid));
    expect(negotiated).toBeUndefined();
  });

  it('does not take the context of one export for that of another', () => {
    const go = encodeOption(option.go, goPayload('volume'));
    const structured = encodeOption(option.structuredReply);
    const unset = encodeOption(option.setMetaContext, metaPayload('volume', 'other:context'));
    const set = encodeOption(option.setMetaContext, metaPayload('volume', 'base:allocation'));
    expect(shake(clientFlags, structured, set, unset, go).negotiated?.allocation).toBe(false);
    expect(shake(clientFlags, structured, set, go).negotiated?.allocation).toBe(true);
  });

  it('opens in the old way, with zeroes for those who want them', () => {
    const open = encodeOption(option.exportName, Buffer.from('volume'));
    const answer = '00000100000000050103';
    expect(shake(clientFlags, open).sent).toBe(answer);
    expect(shake(Buffer.from([0, 0, 0, 1]), open).sent).toBe(`${answer}${'00'.repeat(124)}`);
    expect(() => shake(clientFlags, encodeOption(option.exportName, Buffer.from('x')))).toThrow('no such export');
  });

  it('closes on what is no option', () => {
    expect(() => shake(clientFlags, Buffer.alloc(16))).toThrow('not an NBD option');
    expect(() => shake(Buffer.from([0, 0, 0, 7]))).toThrow('unknown client flags');
    expect(() => shake(clientFlags, encodeOption(option.go, Buffer.alloc(70_000)).subarray(0, 16))).toThrow('too long');
  });
});
