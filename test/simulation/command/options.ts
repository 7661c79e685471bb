import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { isMutation, mutations } from '../mutations/mutations.js';

const wholeNumber = z.coerce.number().int().nonnegative();

const optionsSchema = z.object({
  seed: wholeNumber.optional(),
  seeds: wholeNumber.min(1).default(1_000),
  from: wholeNumber.default(1),
  jobs: wholeNumber.min(1).default(availableParallelism()),
  trace: z.boolean().default(false),
  break: z
    .string()
    .refine(isMutation, { error: `must be one of: ${Object.keys(mutations).join(', ')}` })
    .optional(),
});

export type SimulationOptions = z.infer<typeof optionsSchema>;

export const usage = `npm run sim -- [--seeds N] [--from F] [--jobs J] [--break NAME]   many runs
npm run sim -- --seed S [--trace] [--break NAME]                  one run again
NAME is one of: ${Object.keys(mutations).join(', ')}`;

/** @throws Error that names the option */
export function parseOptions(args: readonly string[]): SimulationOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { seed: text, seeds: text, from: text, jobs: text, trace: { type: 'boolean' }, break: text },
  });
  const parsed = optionsSchema.safeParse(values);
  if (parsed.success) return parsed.data;
  throw new Error(parsed.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('\n'));
}
