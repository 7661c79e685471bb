import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { PresenceFilter } from 'ldapjs';
import { LdapConnection, type LdapServer } from './ldap-connection.js';
import { LdapConnectionError } from './ldap-errors.js';

/** BER by hand, for answers that no honest server gives. All lengths below 128. */
const element = (tag: number, ...content: (Buffer | string)[]): Buffer => {
  const body = Buffer.concat(content.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([Buffer.from([tag, body.length]), body]);
};
const message = (id: number, operation: Buffer): Buffer => element(0x30, element(0x02, Buffer.from([id])), operation);
const result = (tag: number, code: number): Buffer =>
  element(tag, element(0x0a, Buffer.from([code])), element(0x04), element(0x04));
const entry = (dn: string): Buffer => element(0x64, element(0x04, dn), element(0x30));

const search = {
  baseDn: 'dc=x',
  scope: 'sub',
  filter: new PresenceFilter({ attribute: 'uid' }),
  attributes: [],
  sizeLimit: 0,
} as const;

describe('LdapConnection', () => {
  let server: Server | undefined;
  afterEach(() => void server?.close());

  /** Answers the n-th piece of data that arrives with the n-th answer. */
  const answering = async (...answers: (Buffer[] | ((socket: Socket) => void))[]): Promise<LdapServer> => {
    const listening = createServer((socket) => {
      const left = [...answers];
      socket.on('error', () => undefined);
      socket.on('data', () => {
        const answer = left.shift();
        if (typeof answer === 'function') answer(socket);
        else for (const piece of answer ?? []) socket.write(piece);
      });
    });
    server = listening;
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    return { host: '127.0.0.1', port: (listening.address() as AddressInfo).port, security: 'none' };
  };

  it('puts answers together however they are cut', async () => {
    const whole = Buffer.concat([
      message(1, entry('cn=a\\+b,dc=x')),
      message(1, element(0x73)),
      message(1, result(0x65, 0)),
    ]);
    const server = await answering((socket) => {
      socket.setNoDelay(true);
      for (const byte of whole) socket.write(Buffer.from([byte]));
    });
    const connection = await LdapConnection.open(server, 1000);
    const found = await connection.search(search, 1000);
    expect(found.entries.map(({ dn }) => dn)).toEqual(['cn=a\\+b,dc=x']);
    connection.close();
    await expect(connection.search(search, 1000)).rejects.toBeInstanceOf(LdapConnectionError);
  });

  it('gives up a search that stalls after its first entry', async () => {
    const connection = await LdapConnection.open(await answering([message(1, entry('cn=a'))]), 1000);
    await expect(connection.search(search, 200)).rejects.toThrow('no answer within 200 ms');
    expect(connection.isOpen).toBe(false);
  });

  it('fails all requests when the server speaks no LDAP, sends too much or hangs up', async () => {
    const tooLong = Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]);
    const noticeOfDisconnection = message(0, result(0x78, 52));
    const pieces = [
      Buffer.from('HTTP/1.1 400\r\n\r\n'),
      tooLong,
      noticeOfDisconnection,
      message(1, element(0x65, 'x')),
    ];
    for (const answer of [...pieces.map((piece) => [piece]), (socket: Socket) => socket.destroy()]) {
      const connection = await LdapConnection.open(await answering(answer), 1000);
      const calls = [connection.bind('cn=a', 'secret', 5000), connection.search(search, 5000)];
      for (const call of calls) await expect(call).rejects.toBeInstanceOf(LdapConnectionError);
      server?.close();
    }
  });

  it('takes nothing that was sent in clear for an answer from inside StartTLS', async () => {
    const accepted = message(1, result(0x78, 0));
    // The beginning of a "success" for the bind to come: what follows inside would complete it.
    const injected = message(2, result(0x61, 0)).subarray(0, 8);
    const address = await answering([Buffer.concat([accepted, injected])]);
    await expect(LdapConnection.open({ ...address, security: 'starttls' }, 1000)).rejects.toThrow(
      'data in clear after StartTLS',
    );
  });

  it('does not go on in clear when StartTLS is refused or goes wrong', async () => {
    for (const answers of [[[message(1, result(0x78, 2))]], [[message(1, result(0x78, 0))], [Buffer.from('no TLS')]]]) {
      const address = await answering(...answers);
      await expect(LdapConnection.open({ ...address, security: 'starttls' }, 1000)).rejects.toBeInstanceOf(
        LdapConnectionError,
      );
      server?.close();
    }
  });
});
