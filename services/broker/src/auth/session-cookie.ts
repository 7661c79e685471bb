import type { CookieOptions, Request, Response } from 'express';
import { type OriginPolicy, sessionCookie } from '#libs/http';

const options = (request: Request, origins: OriginPolicy): CookieOptions => ({
  httpOnly: true,
  sameSite: 'strict',
  path: '/',
  secure: origins.isSecure(request),
});

/** Gives the browser its sign-in: out of reach of scripts, never sent for another site, gone when the browser closes. */
export function setSessionCookie(response: Response, origins: OriginPolicy, token: string): void {
  response.cookie(sessionCookie, token, options(response.req, origins));
}

export function clearSessionCookie(response: Response, origins: OriginPolicy): void {
  response.clearCookie(sessionCookie, options(response.req, origins));
}
