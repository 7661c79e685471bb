import { isIP } from 'node:net';
import { z } from 'zod';

const namedSubnets = ['loopback', 'linklocal', 'uniquelocal'];

function isProxyAddress(entry: string): boolean {
  if (namedSubnets.includes(entry)) return true;
  const [address = '', bits, ...more] = entry.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** `false`, how many proxies are in front, or their addresses, subnets and well-known names, separated by commas. */
export const trustProxy = z
  .string()
  .refine((value) => /^(false|\d{1,2})$/.test(value) || value.split(',').every((part) => isProxyAddress(part.trim())))
  .transform((value): false | number | string => {
    if (value === 'false') return false;
    return /^\d+$/.test(value) ? Number(value) : value;
  });
