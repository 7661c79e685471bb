import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { LengthUnit } from '#libs/guacamole';

export interface UpgradeQuery {
  /** Empty when there is none. */
  readonly ticket: string;
  readonly lengthUnit: LengthUnit | undefined;
}

const lengthsSchema = z.enum(['code-points', 'utf-16']);

/** What the URL of a tunnel says. Never throws, whatever it is. */
export function readQuery(request: IncomingMessage): UpgradeQuery {
  const url = request.url ?? '';
  const query = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?') + 1) : '');
  return { ticket: query.get('ticket') ?? '', lengthUnit: lengthsSchema.safeParse(query.get('lengths')).data };
}

/** The value of a cookie; the first one when there are several, as the broker reads it. */
export function readCookie(request: IncomingMessage, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    try {
      return decodeURIComponent(value);
    } catch {
      return value;
    }
  }
  return undefined;
}

/** The address of the client, as seen by the outermost proxy that is trusted. */
export function clientAddress(request: IncomingMessage, trustedProxies: number): string {
  const direct = request.socket.remoteAddress ?? 'unknown';
  if (trustedProxies < 1) return direct;
  const forwarded = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
  const hops = forwarded.map((hop) => hop.trim()).filter((hop) => hop !== '');
  return hops[Math.max(0, hops.length - trustedProxies)] ?? direct;
}
