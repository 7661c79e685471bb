import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import path from 'node:path';

/** The broker's policy (libs/http): a violation fails the tests. */
const contentSecurityPolicy = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' data: blob:",
  "connect-src 'self' ws: wss:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** A file of the built portal, under the policy that the broker sets. */
export async function answerFile(folder: string, pathname: string, response: ServerResponse): Promise<void> {
  const file = path.join(folder, path.normalize(pathname));
  // Pages have addresses of their own, as the broker serves them.
  const isPage = path.extname(pathname) === '';
  const content = await readFile(isPage ? path.join(folder, 'index.html') : file).catch(() => null);
  response.setHeader('content-security-policy', contentSecurityPolicy);
  response.setHeader('content-type', types[isPage ? '.html' : path.extname(file)] ?? 'application/octet-stream');
  response.writeHead(content ? 200 : 404).end(content);
}

export function json(response: ServerResponse, status: number, body?: unknown): void {
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(body === undefined ? '' : JSON.stringify(body));
}

/** RFC 9457, as the broker answers. */
export function problem(response: ServerResponse, status: number, code: string, more: object = {}): void {
  response
    .writeHead(status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify({ type: `urn:goldleaf:${code}`, title: code, status, code, ...more }));
}
