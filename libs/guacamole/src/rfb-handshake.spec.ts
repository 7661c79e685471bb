import { describe, expect, it } from '@jest/globals';
import { rfbHandshake, vncAuthentication } from './rfb-handshake.js';
import { RfbError, RfbFeed, type RfbReading } from './rfb-reading.js';

const challenge = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const init = Buffer.from('0400030020180001 00ff00ff00ff100800000000 00000004'.replaceAll(' ', ''), 'hex');
const server = (...parts: (string | Buffer)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
const willing = server('RFB 003.008\n', '\x02\x01\x02', challenge, '\0\0\0\0', init, 'desk');

function shake(bytes: Buffer, cut = 0) {
  const written: Buffer[] = [];
  let bytesPerPixel: number | undefined;
  const feed = new RfbFeed(
    (function* (): RfbReading {
      bytesPerPixel = yield* rfbHandshake({ password: 'secret12', write: (part) => void written.push(part) });
    })(),
  );
  feed.take(bytes.subarray(0, cut));
  feed.take(bytes.subarray(cut));
  return { written: Buffer.concat(written), bytesPerPixel, heldBytes: feed.heldBytes };
}

describe('rfbHandshake', () => {
  it('comes to its end at every cut, as one viewer among others', () => {
    for (let cut = 0; cut <= willing.length; cut++) {
      const { written, bytesPerPixel, heldBytes } = shake(willing, cut);
      const answer = vncAuthentication(challenge, 'secret12');
      expect(written.equals(server('RFB 003.008\n', '\x02', answer, '\x01'))).toBe(true);
      expect([bytesPerPixel, heldBytes]).toEqual([4, 0]);
    }
  });

  it.each([
    ['another version', server('RFB 003.003\n')],
    ['no VNC at all', server('HTTP/1.1 400 Bad Request')],
    ['a refusal', server('RFB 003.008\n', '\0')],
    ['no security with a password', server('RFB 003.008\n', '\x01\x01')],
    ['a wrong password', server('RFB 003.008\n', '\x01\x02', challenge, '\0\0\0\x01')],
    ['an endless name', server('RFB 003.008\n', '\x01\x02', challenge, '\0\0\0\0', Buffer.alloc(24, 0xff))],
  ])('gives up at %s', (_what, bytes) => {
    expect(() => shake(bytes)).toThrow(RfbError);
  });

  it('uses no more than eight bytes of a password', () => {
    expect(vncAuthentication(challenge, 'secret12').equals(vncAuthentication(challenge, 'secret12 and more'))).toBe(
      true,
    );
    expect(vncAuthentication(challenge, 'secret1').equals(vncAuthentication(challenge, 'secret12'))).toBe(false);
  });
});
