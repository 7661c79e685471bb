import { hostname } from 'node:os';
import { z } from 'zod';
import { certificateFile } from './certificate-file.js';
import { defaultProfileRetention, profileRetention } from './profile-retention.js';
import { trustProxy } from './trust-proxy.js';

/** One environment variable: how it is read, what is expected of it, and what the README says of it. */
export interface Variable<T> {
  readonly schema: z.ZodType<T>;
  /** Completes the sentence `NAME: expected ...`. */
  readonly expected: string;
  /** Used when the variable is unset or empty. */
  readonly fallback?: string;
  /** As the README shows the fallback, where it is not a plain value. */
  readonly fallbackText?: string;
  readonly meaning: string;
  /** Never shown, and may also be given as the name of a file in NAME_FILE. */
  readonly secret?: boolean;
}

const variable = <T>(
  schema: z.ZodType<T>,
  expected: string,
  meaning: string,
  more: Pick<Variable<T>, 'fallback' | 'fallbackText' | 'secret'> = {},
): Variable<T> => ({ schema, expected, meaning, ...more });

const oneOf = <const V extends readonly [string, ...string[]]>(values: V, fallback: V[number], meaning: string) =>
  variable(z.enum(values), `one of ${values.join(', ')}`, meaning, { fallback });

const text = (expected: string, meaning: string, more: { fallback?: string; fallbackText?: string } = {}) =>
  variable(z.string().min(1), expected, meaning, more);

const secretText = (expected: string, meaning: string, fallbackText?: string) =>
  variable(z.string().min(1), expected, meaning, { secret: true, ...(fallbackText && { fallbackText }) });

/** A URL with a host and one of these schemes. */
const url = (...schemes: string[]) =>
  z.string().refine((value) => {
    if (!URL.canParse(value)) return false;
    const { protocol, host } = new URL(value);
    return schemes.includes(protocol.replace(':', '')) && host !== '';
  });

/** Of the volume store; no credentials in it, as URLs end up in logs. */
const storeUrl = z.string().refine((value) => {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname: host, pathname, username, password } = new URL(value);
  if (username !== '' || password !== '') return false;
  return protocol === 'file:' ? host === '' && pathname !== '/' : protocol === 's3:' && host !== '';
});

const list = <T>(item: z.ZodType<T, string>) =>
  z
    .string()
    .transform((value) => value.split(/[\s,]+/).filter((part) => part !== ''))
    .pipe(z.array(item));

const wholeNumber = (min: number, max: number) =>
  z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(min).max(max));

/** Base64 of 32 bytes, also as `npm start` writes it to a file: with the letters of URLs and without the end. */
const masterKey = z
  .string()
  .regex(/^[A-Za-z0-9+/_-]{42}[AEIMQUYcgkosw048]=?$/)
  .transform((text) => Buffer.from(text, 'base64').toString('base64'));

const yesOrNo = z.enum(['true', 'false']).transform((value) => value === 'true');

const origin = url('http', 'https').refine((value) => URL.canParse(value) && new URL(value).origin === value);

const tunnelUrl = z.union([z.string().regex(/^\/[^/\s]\S*$/), url('ws', 'wss')]);

const guacdUrl = url('tcp').transform((value) => {
  if (!URL.canParse(value)) return { host: '', port: 0 };
  const { hostname: host, port } = new URL(value);
  return { host: host.replace(/^\[|\]$/g, ''), port: port === '' ? 4822 : Number(port) };
});

/** Every variable that Goldleaf reads, in the order of the README. */
export const variables = {
  GOLDLEAF_HOST: text('a host name or an IP address', 'Address to listen on', { fallback: '127.0.0.1' }),
  GOLDLEAF_PORT: variable(wholeNumber(1, 65_535), 'a whole number from 1 to 65535', 'Port to listen on', {
    fallback: '8080',
  }),
  GOLDLEAF_STATE_DIR: text('a folder', 'Where `npm start` keeps databases, images, leaves and logs', {
    fallback: '.goldleaf',
  }),
  GOLDLEAF_PUBLIC_ORIGINS: variable(
    list(origin),
    'web origins such as https://desktops.example.org, separated by commas',
    'Web origins that may use the API and the tunnel, besides the address that was asked',
    { fallback: '', fallbackText: 'none' },
  ),
  GOLDLEAF_TRUST_PROXY: variable(
    trustProxy,
    'false, a number of proxies, or their addresses',
    'Reverse proxies in front whose `X-Forwarded-*` headers are believed: `false`, how many, or their addresses',
    { fallback: 'false' },
  ),
  GOLDLEAF_SECRET_KEY: variable(
    z.string().min(32),
    'at least 32 characters, the same for all services',
    'Seals display passwords in the database; the same for all services',
    { secret: true, fallbackText: 'made by `npm start`' },
  ),
  GOLDLEAF_LOG_LEVEL: oneOf(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    'Least level that is logged',
  ),
  GOLDLEAF_TUNNEL_URL: variable(
    tunnelUrl,
    'a path that starts with / or a ws:// or wss:// URL',
    'Where browsers find the gateway',
    { fallback: '/tunnel' },
  ),
  GOLDLEAF_ADMIN_ROLE: text('the name of a role', 'Directory group whose members are IT', { fallback: 'it-admins' }),
  GOLDLEAF_ACCELERATOR: oneOf(
    ['auto', 'kvm', 'tcg'],
    'auto',
    'How machines run; `auto` takes KVM when a probe boot shows that it works',
  ),
  GOLDLEAF_DRIVER: oneOf(['qemu', 'fake'], 'qemu', 'Hypervisor driver; `fake` makes no machines, for development'),
  GOLDLEAF_HOST_NAME: text('a name', 'Name of this hypervisor host', {
    fallback: hostname(),
    fallbackText: "the system's host name",
  }),
  GOLDLEAF_STORE_URL: variable(
    storeUrl,
    'file:///absolute/folder or s3://bucket/prefix?endpoint=https://host&region=name, without credentials',
    'Volume store: `file:///folder`, or `s3://bucket/prefix?endpoint=...&region=...`',
    { fallbackText: '`store/` in the state folder' },
  ),
  GOLDLEAF_STORE_ACCESS_KEY: secretText('an access key', 'Access key of an S3 store', "the AWS SDK's own sources"),
  GOLDLEAF_STORE_SECRET_KEY: secretText('a secret key', 'Its secret key'),
  GOLDLEAF_STORE_CACHE_MIB: variable(
    wholeNumber(16, 16_777_216),
    'a whole number from 16 to 16777216',
    'Disk space on this host for what has been read of application layers',
    { fallback: '2048' },
  ),
  GOLDLEAF_APP_KEYS_DIR: text('a folder', 'Public keys (`*.pem`) whose application layers are trusted', {
    fallbackText: '`app-keys/` in the state folder',
  }),
  GOLDLEAF_PROFILE_MASTER_KEY: variable(
    masterKey,
    'the base64 of 32 bytes, the same for all provisioners',
    'Wraps the keys of roaming profiles; the same for all provisioners. Whoever loses it loses all profiles',
    { secret: true, fallbackText: 'made by `npm start`' },
  ),
  GOLDLEAF_PROFILE_FORMER_MASTER_KEYS: variable(
    list(masterKey),
    'base64 of 32 bytes each, separated by commas',
    'Master keys before that one, until what they have wrapped is wrapped anew',
    { secret: true },
  ),
  GOLDLEAF_PROFILE_RETENTION: variable(
    profileRetention,
    `last (1 to 1000), days (0 to 3650), weeks (0 to 520) and damaged-days (0 to 3650), such as ${defaultProfileRetention}`,
    'Which versions of profiles are kept: the last so many, one a day, one a week, and damaged ones for so many days; ' +
      'what is left out is as here. The same for all provisioners',
    { fallback: defaultProfileRetention },
  ),
  GOLDLEAF_DEMO_APPS: oneOf(['on', 'off'], 'on', 'Whether `npm start` builds and assigns the demo applications'),
  GOLDLEAF_URL: variable(
    url('http', 'https'),
    'a URL such as http://127.0.0.1:8080',
    'Where the `goldleaf` command finds the broker',
    { fallbackText: 'where one signed in last' },
  ),
  GOLDLEAF_TOKEN_FILE: text('a file', "File that holds the `goldleaf` command's token", {
    fallbackText: '`goldleaf/sign-in.json` in `$XDG_CONFIG_HOME`',
  }),
  NODE_ENV: oneOf(['development', 'production', 'test'], 'development', '`production` refuses the demo directory'),
  DATABASE_URL: variable(url('postgres', 'postgresql'), 'a postgres:// URL', 'PostgreSQL 15 or later', {
    secret: true,
    fallbackText: 'started by `npm start`',
  }),
  REDIS_URL: variable(url('redis', 'rediss'), 'a redis:// or rediss:// URL', 'Redis 6.2 or later', {
    secret: true,
    fallbackText: 'started by `npm start`',
  }),
  GUACD_URL: variable(guacdUrl, 'a URL such as tcp://127.0.0.1:4822', 'guacd 1.3 or later', {
    fallbackText: 'started by `npm start`; else `tcp://127.0.0.1:4822`',
  }),
  LDAP_URL: variable(
    list(url('ldap', 'ldaps')).pipe(z.array(z.string()).min(1)),
    'ldap:// or ldaps:// URLs, separated by commas',
    'Directory servers, tried in this order',
    { fallbackText: 'demo directory of `npm start`' },
  ),
  LDAP_BIND_DN: text('a distinguished name', 'Account that searches the directory', { fallbackText: 'anonymous' }),
  LDAP_BIND_PASSWORD: secretText('a password', 'Its password'),
  LDAP_USER_BASE_DN: text('a distinguished name', 'Where users are searched; required with `LDAP_URL`'),
  LDAP_GROUP_BASE_DN: text('a distinguished name', 'Where groups are searched; required with `LDAP_URL`'),
  LDAP_USER_ATTRIBUTE: text('the name of an attribute', 'Attribute that holds the name typed at sign-in', {
    fallback: 'uid',
  }),
  LDAP_DISPLAY_NAME_ATTRIBUTE: text('the name of an attribute', 'Attribute shown as the name of the person', {
    fallback: 'cn',
  }),
  LDAP_STARTTLS: variable(yesOrNo, 'true or false', 'Encrypt ldap:// connections with StartTLS', { fallback: 'false' }),
  LDAP_CA_FILE: variable(
    certificateFile,
    'the path of a PEM file with certificates',
    "Authority that signed the servers' certificates",
    {
      fallbackText: "Node's own list",
    },
  ),
  LDAP_TIMEOUT_MS: variable(wholeNumber(100, 60_000), 'a whole number from 100 to 60000', 'Limit of one question', {
    fallback: '5000',
  }),
} as const;

export type VariableName = keyof typeof variables;
export type VariableValue<Name extends VariableName> = (typeof variables)[Name] extends Variable<infer T> ? T : never;
