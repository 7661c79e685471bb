import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The path of a file that can be read and begins with a certificate: told at start, not at the first sign-in. */
export const certificateFile = z.string().refine((path) => {
  try {
    return new X509Certificate(readFileSync(path)).subject !== undefined;
  } catch {
    return false;
  }
});
