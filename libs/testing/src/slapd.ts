import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SlapdOptions {
  readonly baseDn: string;
  /** All entries, the base included. */
  readonly ldif: string;
  /** The one DN that may read everything; it needs a userPassword in the LDIF. */
  readonly serviceDn: string;
}

/** A real OpenLDAP server of one test's own, on loopback, with ldap:// (StartTLS) and ldaps://. */
export interface Slapd {
  readonly url: string;
  readonly ldapsUrl: string;
  /** PEM of the authority that signed the server's certificate (for localhost and 127.0.0.1). */
  readonly caPem: string;
  /** PEM of an authority that signed nothing here. */
  readonly otherCaPem: string;
  /** Removes one entry. */
  remove(dn: string): Promise<void>;
  stop(): Promise<void>;
  /** Starts it again on the same ports with the same entries. */
  start(): Promise<void>;
  /** Stops it and removes its folder. */
  destroy(): Promise<void>;
}

/** Starts an OpenLDAP server. It allows unauthenticated binds (DN without password), as careless servers do. */
export async function startSlapd(options: SlapdOptions): Promise<Slapd> {
  const folder = await mkdtemp(join(tmpdir(), 'goldleaf-slapd-'));
  const path = (name: string): string => join(folder, name);
  const [port, tlsPort] = [await freePort(), await freePort()];
  const url = `ldap://127.0.0.1:${port}`;
  const ldapsUrl = `ldaps://127.0.0.1:${tlsPort}`;
  let child: ChildProcess | undefined;

  const stop = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const exited = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await exited;
  };
  const start = async (): Promise<void> => {
    child = spawn('/usr/sbin/slapd', ['-d', '0', '-f', path('slapd.conf'), '-h', `${url} ${ldapsUrl}`], {
      stdio: 'ignore',
    });
    await waitForPort(port, child);
    await waitForPort(tlsPort, child);
  };

  try {
    await mkdir(path('data'));
    await makeCertificates(folder);
    await writeFile(path('slapd.conf'), configuration(folder, options));
    await writeFile(path('password'), 'root-secret', { mode: 0o600 });
    await writeFile(path('content.ldif'), options.ldif);
    await run('/usr/sbin/slapadd', ['-f', path('slapd.conf'), '-l', path('content.ldif')]);
    await start();
  } catch (error) {
    await stop();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    url,
    ldapsUrl,
    caPem: await readFile(path('ca.crt'), 'utf8'),
    otherCaPem: await readFile(path('other.crt'), 'utf8'),
    remove: async (dn) => {
      await run('ldapdelete', ['-x', '-H', url, '-D', `cn=root,${options.baseDn}`, '-y', path('password'), dn]);
    },
    stop,
    start,
    destroy: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const configuration = (folder: string, { baseDn, serviceDn }: SlapdOptions): string => `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${folder}/slapd.pid
allow bind_anon_dn
TLSCACertificateFile ${folder}/ca.crt
TLSCertificateFile ${folder}/server.crt
TLSCertificateKeyFile ${folder}/server.key
database mdb
suffix "${baseDn}"
rootdn "cn=root,${baseDn}"
rootpw root-secret
directory ${folder}/data
maxsize 16777216
index objectClass,uid,member,uniqueMember,memberUid eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="${serviceDn}" read by * none
`;

/** An authority, a server certificate of it, and another authority, made by openssl. */
async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args, { cwd: folder });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  for (const name of ['ca', 'other']) {
    const out = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
    await openssl('req', '-x509', '-days', '2', ...key, '-subj', `/CN=Goldleaf test ${name}`, ...out);
  }
  await openssl('req', ...key, '-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr');
  await writeFile(join(folder, 'san'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'san'];
  await openssl('x509', '-req', '-in', 'server.csr', ...signer, '-out', 'server.crt');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function waitForPort(port: number, child: ChildProcess): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; ) {
    if (child.exitCode !== null) throw new Error(`slapd ended with exit code ${child.exitCode}`);
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('slapd did not start within 10 s');
}
