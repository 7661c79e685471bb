import { z } from 'zod';

/**
 * A folder of the person's home that is not kept: relative to the home, of 1 to 255 bytes, without empty, `.` or `..`
 * steps, and without line ends.
 */
export const excludedPathSchema = z
  .string()
  .refine((path) => Buffer.byteLength(path) >= 1 && Buffer.byteLength(path) <= 255, 'is 1 to 255 bytes long')
  .refine((path) => !/[\0\r\n]/.test(path), 'has no line ends')
  .refine(
    (path) => path.split('/').every((step) => step !== '' && step !== '.' && step !== '..'),
    'is a folder below the home, named from there',
  );
