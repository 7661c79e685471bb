import type { IncomingMessage } from 'node:http';

/** The cookie that carries a sign-in of a browser. */
export const sessionCookie = 'goldleaf_session';

/** The value of a cookie, undefined when the request has none of that name. */
export function cookieOf(request: IncomingMessage, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const separator = pair.indexOf('=');
    if (separator > 0 && pair.slice(0, separator).trim() === name) return pair.slice(separator + 1).trim();
  }
  return undefined;
}

/**
 * The API token that a request presents: of the Authorization header if there is one, otherwise of the cookie. A wrong
 * header never falls back to the cookie, as the origin policy lets requests with that header pass.
 */
export function presentedToken(request: IncomingMessage): string | undefined {
  const { authorization } = request.headers;
  if (authorization !== undefined) return /^Bearer ([\w.~+/=-]{1,512})$/i.exec(authorization.trim())?.[1];
  return cookieOf(request, sessionCookie) || undefined;
}
