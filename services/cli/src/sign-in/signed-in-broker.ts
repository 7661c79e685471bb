import { loadClientConfig } from '#libs/config';
import { Broker } from '../api/broker.js';
import { BrokerHttp } from '../api/broker-http.js';
import { CliError } from '../cli-error.js';
import { readOwnFile, readSignIn, signInPath } from './sign-in-file.js';

export const DEFAULT_URL = 'http://127.0.0.1:8080';

/** The address of a server as it is compared and kept. @throws CliError */
export function serverUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new CliError(`${JSON.stringify(text)} is not an address such as ${DEFAULT_URL}`, 'usage');
  }
  const { origin, pathname, username, password } = new URL(text);
  if (username !== '' || password !== '') throw new CliError('A password does not belong into an address', 'usage');
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}

export interface SignInSource {
  readonly env: NodeJS.ProcessEnv;
  /** Of `--url`. */
  readonly url: string | undefined;
  readonly signal: AbortSignal;
}

export interface SignedIn {
  readonly url: string;
  readonly token: string;
}

/** The server to ask and the token for it. A token is never sent to another server than the one that gave it. */
export async function presentSignIn({ env, url: option, signal }: SignInSource): Promise<SignedIn> {
  signal.throwIfAborted();
  const { url: configured, tokenFile } = loadClientConfig(env);
  const named = option ?? configured;
  if (tokenFile !== undefined) {
    const token = (await readOwnFile(tokenFile))?.trim();
    if (!token) throw new CliError(`GOLDLEAF_TOKEN_FILE names ${tokenFile}, which holds no token`, 'not-signed-in');
    return { url: serverUrl(named ?? DEFAULT_URL), token };
  }
  const kept = await readSignIn(signInPath(env));
  const url = serverUrl(named ?? kept?.url ?? DEFAULT_URL);
  if (kept === undefined || kept.url !== url) throw new CliError(signInFirst(url), 'not-signed-in', { url });
  return { url, token: kept.token };
}

/** The broker, as the person who signed in. @throws CliError when nobody did */
export async function signedInBroker(source: SignInSource): Promise<Broker> {
  const { url, token } = await presentSignIn(source);
  return new Broker(new BrokerHttp({ url, token, signal: source.signal }));
}

const signInFirst = (url: string): string =>
  `Nobody is signed in at ${url}: goldleaf login${url === DEFAULT_URL ? '' : ` --url ${url}`} --username NAME`;
