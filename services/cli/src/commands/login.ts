import { rm } from 'node:fs/promises';
import { loadClientConfig } from '#libs/config';
import { loginResponseSchema } from '#libs/contracts';
import { BrokerHttp, noAnswer } from '../api/broker-http.js';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { readPassword } from '../sign-in/read-password.js';
import { readSignIn, signInPath, writeOwnFile, writeSignIn } from '../sign-in/sign-in-file.js';
import { DEFAULT_URL, presentSignIn, serverUrl } from '../sign-in/signed-in-broker.js';

export interface LoginOptions {
  readonly username: string;
  readonly passwordFile?: string;
}

/** Signs in and keeps the token, not the password. */
export async function login(context: CommandContext, options: LoginOptions): Promise<CommandResult> {
  const { env, stdin, signal } = context;
  const { url: configured, tokenFile } = loadClientConfig(env);
  const kept = await readSignIn(signInPath(env)).catch(() => undefined);
  const url = serverUrl(context.url ?? configured ?? kept?.url ?? DEFAULT_URL);
  if (sendsInTheClear(url)) context.messages.line(`! ${url} is not encrypted: the password can be read on the way`);
  const { username, passwordFile } = options;
  const password = await readPassword({ stdin, file: passwordFile, username, signal });
  const { user, token } = await new BrokerHttp({ url, signal }).call({
    method: 'POST',
    path: '/login',
    body: { username, password },
    answer: loginResponseSchema,
  });
  if (tokenFile === undefined) await writeSignIn(signInPath(env), { url, username: user.username, token });
  else await writeOwnFile(tokenFile, `${token}\n`);
  return {
    document: { url, user },
    text: `Signed in at ${url} as ${user.username} (${user.displayName})`,
  };
}

/** Ends the sign-in: at the broker, and on this machine even when the broker does not answer. */
export async function logout(context: CommandContext): Promise<CommandResult> {
  const { env, signal } = context;
  const path = loadClientConfig(env).tokenFile ?? signInPath(env);
  const signedIn = await presentSignIn(context).catch((error: unknown) => {
    if (error instanceof CliError && error.code === 'not-signed-in') return undefined;
    throw error;
  });
  if (signedIn === undefined) return { document: { signedOut: false }, text: 'Nobody was signed in' };
  const { url, token } = signedIn;
  try {
    await new BrokerHttp({ url, token, signal }).call({ method: 'POST', path: '/logout', answer: noAnswer });
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    await rm(path, { force: true });
    throw new CliError(
      `${error.message}\n  The token was removed here; at the broker it is good until it runs out.`,
      error.code,
    );
  }
  await rm(path, { force: true });
  return { document: { signedOut: true, url }, text: `Signed out at ${url}` };
}

function sendsInTheClear(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
