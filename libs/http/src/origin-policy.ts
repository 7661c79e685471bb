import type { IncomingMessage } from 'node:http';
import { DomainError, errors } from '#libs/kernel';
import { cookieOf, sessionCookie } from './presented-token.js';
import { TrustedProxies, type TrustProxy } from './trusted-proxies.js';

export interface OriginPolicyOptions {
  /** Origins other than our own that may use the service, e.g. `https://desktops.example.org`. */
  readonly allowedOrigins: readonly string[];
  /** Reverse proxies in front whose `x-forwarded-host` and `x-forwarded-proto` are believed. */
  readonly trustProxy: TrustProxy;
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);
const firstOf = (value: string | string[] | undefined): string | undefined =>
  (Array.isArray(value) ? value[0] : value)?.split(',')[0]?.trim() || undefined;

/** Decides which web pages may use the service: those of our own host, and those that the operator named. */
export class OriginPolicy {
  private readonly allowed: ReadonlySet<string>;
  private readonly proxies: TrustedProxies;

  constructor(options: OriginPolicyOptions) {
    this.proxies = new TrustedProxies(options.trustProxy);
    this.allowed = new Set(options.allowedOrigins.map((origin) => new URL(origin).origin));
  }

  /** The Origin header, or null for a client that is no web page. */
  originOf(request: IncomingMessage): string | null {
    return firstOf(request.headers.origin) ?? null;
  }

  /** True when the request names an origin that is our own host or an allowed one. */
  allows(request: IncomingMessage): boolean {
    const named = this.originOf(request);
    if (named === null) return false;
    let origin: URL;
    try {
      origin = new URL(named);
    } catch {
      return false; // "null" of a sandboxed page, or rubbish
    }
    if (this.allowed.has(origin.origin)) return true;
    if (origin.protocol !== 'http:' && origin.protocol !== 'https:') return false;
    // A page of https may reach us as http behind a proxy that ends TLS; a page of http never stands for https.
    return origin.host === this.hostOf(request) && !(origin.protocol === 'http:' && this.isSecure(request));
  }

  /**
   * For upgrades: a web page must be of an allowed origin; a client that is no browser names none and carries no cookie.
   * @throws DomainError origin-refused
   */
  checkUpgrade(request: IncomingMessage): void {
    if (this.originOf(request) === null ? this.carriesCookie(request) : !this.allows(request)) {
      throw new DomainError(errors.originRefused);
    }
  }

  /**
   * For requests that change something: refuses those that another web page could have made the browser send.
   * A bearer token is never sent by a browser on its own, so such requests pass.
   * @throws DomainError origin-refused
   */
  checkStateChange(request: IncomingMessage): void {
    if (safeMethods.has(request.method ?? 'GET') || request.headers.authorization !== undefined) return;
    if (this.originOf(request) !== null) {
      if (!this.allows(request)) throw new DomainError(errors.originRefused);
      return;
    }
    if (this.carriesCookie(request) && request.headers['sec-fetch-site'] !== 'same-origin') {
      throw new DomainError(errors.originRefused, 'Send an Origin header, or a bearer token instead of the cookie');
    }
  }

  /** Whether the client speaks https, to us or to the proxy in front. */
  isSecure(request: IncomingMessage): boolean {
    if ('encrypted' in request.socket && request.socket.encrypted === true) return true;
    return firstOf(request.headers['x-forwarded-proto']) === 'https' && this.proxies.includesPeerOf(request);
  }

  private hostOf(request: IncomingMessage): string | undefined {
    const forwarded = firstOf(request.headers['x-forwarded-host']);
    const believed = forwarded !== undefined && this.proxies.includesPeerOf(request);
    const host = (believed ? forwarded : request.headers.host)?.toLowerCase();
    // A browser leaves the default port out of Origin and Host alike; a proxy may put it back.
    return host?.replace(/:(80|443)$/, '');
  }

  private carriesCookie(request: IncomingMessage): boolean {
    return cookieOf(request, sessionCookie) !== undefined;
  }
}
