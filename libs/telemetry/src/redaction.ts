/** Property names whose values never reach a log, whatever their case, hyphens or prefix (`refreshToken`, `set-cookie`). */
const secretKey = /(password|passwd|passphrase|token|ticket|authorization|cookie|secret|credential|privatekey|apikey)/;
/** What these end in says that the value only describes a secret. */
const harmlessEnding = /(hash|count|id|file|ttl|ms|seconds|expiresat)$/;
const redacted = '[redacted]';
const deepest = 8;

const isSecretKey = (key: string): boolean => {
  const plain = key.toLowerCase().replace(/[^a-z]/g, '');
  return secretKey.test(plain) && !harmlessEnding.test(plain);
};

const isPlain = (value: object): value is Record<string, unknown> => {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

const errorFields = (error: Error, depth: number, seen: readonly object[]): Record<string, unknown> => ({
  type: error.name,
  message: error.message,
  stack: error.stack,
  ...(error.cause === undefined ? {} : { cause: redactValue(error.cause, depth + 1, seen) }),
  ...(error instanceof AggregateError ? { errors: redactValue(error.errors, depth + 1, seen) } : {}),
  ...Object.fromEntries(redactEntries(error, depth, seen).filter(([key]) => key !== 'cause' && key !== 'errors')),
});

const redactEntries = (value: object, depth: number, seen: readonly object[]): [string, unknown][] =>
  Object.entries(value).map(([key, inner]) => [key, isSecretKey(key) ? redacted : redactValue(inner, depth + 1, seen)]);

function redactValue(value: unknown, depth: number, seen: readonly object[]): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (Buffer.isBuffer(value) || ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (seen.includes(value)) return '[circular]';
  if (depth > deepest) return '[too deep]';
  const path = [...seen, value];
  if (value instanceof Error) return errorFields(value, depth, path);
  if (Array.isArray(value)) return value.map((inner) => redactValue(inner, depth + 1, path));
  if (isPlain(value)) return Object.fromEntries(redactEntries(value, depth, path));
  return 'toJSON' in value ? value : `[${value.constructor?.name ?? 'object'}]`;
}

/** A copy of `fields` fit for a log: secrets by name replaced, errors spelt out, bytes counted, class instances named. */
export const redactFields = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(redactEntries(fields, 0, [fields]));

/** Takes the secrets out of running text: passwords in URLs, `?ticket=` and `?token=`, bearer tokens. */
export const redactText = (text: string): string =>
  text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:@/"\\]*):[^\s@/"\\]+@/gi, `$1:${redacted}@`)
    .replace(/\b(ticket|token|password)=[^\s&"'\\]+/gi, `$1=${redacted}`)
    .replace(/\bBearer\s+[\w.~+/=-]{8,}/gi, `Bearer ${redacted}`);
