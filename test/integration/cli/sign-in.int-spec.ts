import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort } from '#libs/embedded';
import { type BrokerFixture, startBroker } from '../broker/broker-fixture.js';
import { CliFixture } from './cli-fixture.js';

interface Refusal {
  readonly error: { readonly code: string; readonly message: string };
}

let broker: BrokerFixture;
let cli: CliFixture;
beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker.destroy());
beforeEach(async () => {
  cli = await CliFixture.make();
});
afterEach(() => cli.destroy());

describe('goldleaf login', () => {
  it('keeps the token where only its owner reads it, shows neither it nor the password, and gives it back', async () => {
    const signedIn = await cli.signIn(broker.url);
    expect(signedIn).toMatchObject({ exitCode: 0, stdout: `Signed in at ${broker.url} as ivan (Demo ivan)\n` });
    expect((await stat(cli.signInPath)).mode & 0o777).toBe(0o600);
    expect((await stat(join(cli.signInPath, '..'))).mode & 0o777).toBe(0o700);
    const { token } = JSON.parse(await readFile(cli.signInPath, 'utf8')) as { token: string };
    expect(signedIn.stdout + signedIn.stderr).not.toMatch(new RegExp(`ivan-demo|${token}`));
    expect(await cli.run(['pool', 'list'])).toMatchObject({ exitCode: 0 });

    expect(await cli.run(['logout'])).toMatchObject({ exitCode: 0, stdout: `Signed out at ${broker.url}\n` });
    await expect(stat(cli.signInPath)).rejects.toThrow('ENOENT');
    // The broker took it back, too.
    const me = await fetch(`${broker.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } });
    expect(me.status).toBe(401);
    expect(await cli.run(['logout'])).toMatchObject({ exitCode: 0, stdout: 'Nobody was signed in\n' });
  });

  it('takes the password of a file, and says when there is none', async () => {
    const file = join(cli.folder, 'password');
    await writeFile(file, 'ivan-demo\n');
    const args = ['login', '--url', broker.url, '--username', 'ivan', '--password-file'];
    expect(await cli.run([...args, file])).toMatchObject({ exitCode: 0 });
    expect(await cli.run([...args, '-'], { input: 'ivan-demo' })).toMatchObject({ exitCode: 0 });
    expect(await cli.run([...args, '/none'])).toMatchObject({ exitCode: 1, stderr: '/none is not there\n' });
    expect(await cli.run([...args, '-'])).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('says that the password is wrong, that nobody is signed in, and that a sign-in has ended', async () => {
    const args = ['login', '--url', broker.url, '--username', 'ivan'];
    const wrong = await cli.json<Refusal>(args, { input: 'guess' });
    expect(wrong).toMatchObject({ exitCode: 1, stderr: 'The user name or the password is wrong\n' });
    expect(wrong.document.error.code).toBe('invalid-credentials');
    const nobody = await cli.json<Refusal>(['app', 'list']);
    expect(nobody).toMatchObject({ exitCode: 1, document: { error: { code: 'not-signed-in' } } });
    expect(nobody.stderr).toContain('goldleaf login');

    await cli.signIn(broker.url);
    await broker.query('UPDATE api_sessions SET expires_at = now()');
    const ended = await cli.json<Refusal>(['app', 'list']);
    expect(ended).toMatchObject({ exitCode: 1, document: { error: { code: 'not-signed-in' } } });
    expect(ended.stderr).toContain('has ended');
  });

  it('says that no broker answers, and that something else does', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const none = await cli.json<Refusal>(['login', '--url', url, '--username', 'ivan'], { input: 'x' });
    expect(none).toMatchObject({ exitCode: 1, document: { error: { code: 'no-server' } } });
    expect(none.stderr).toContain(`No broker answers at ${url} (ECONNREFUSED)`);
    const portal = await cli.run(['login', '--url', `${broker.url}/elsewhere`, '--username', 'i'], { input: 'x' });
    expect(portal.exitCode).toBe(1);
  });

  it('sends a token to no other server than the one that gave it', async () => {
    await cli.signIn(broker.url);
    const elsewhere = await cli.json<Refusal>(['app', 'list', '--url', 'http://127.0.0.1:9']);
    expect(elsewhere.document.error).toMatchObject({ code: 'not-signed-in' });
  });

  it('works with a token of a file, made elsewhere or by login', async () => {
    const file = join(cli.folder, 'token');
    const env = { GOLDLEAF_URL: broker.url, GOLDLEAF_TOKEN_FILE: file };
    expect(await cli.run(['app', 'list'], { env })).toMatchObject({ exitCode: 1 });
    expect(await cli.run(['login', '--username', 'ivan'], { env, input: 'ivan-demo' })).toMatchObject({ exitCode: 0 });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(stat(cli.signInPath)).rejects.toThrow('ENOENT');
    expect(await cli.run(['app', 'list'], { env })).toMatchObject({ exitCode: 0 });
    await chmod(file, 0o644);
    await writeFile(file, 'rubbish\n');
    expect(await cli.json<Refusal>(['app', 'list'], { env })).toMatchObject({ exitCode: 1 });
  });

  it('tells people who are not IT that they may not', async () => {
    await cli.signIn(broker.url, 'alice');
    const refused = await cli.json<Refusal>(['pool', 'list']);
    expect(refused).toMatchObject({ exitCode: 1, document: { error: { code: 'forbidden', status: 403 } } });
  });
});
