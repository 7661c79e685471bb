import type { RetentionPolicy } from '#libs/contracts';
import type { LogLevel } from '#libs/telemetry';
import type { Secret } from './secret.js';

export interface LdapConfig {
  /** In the order in which they are tried. */
  readonly urls: readonly string[];
  /** Undefined: search without a name (anonymous bind). */
  readonly bindDn: string | undefined;
  readonly bindPassword: Secret | undefined;
  readonly userBaseDn: string;
  readonly groupBaseDn: string;
  readonly userAttribute: string;
  readonly displayNameAttribute: string;
  readonly startTls: boolean;
  /** PEM file of the authority that signed the servers' certificates. */
  readonly caFile: string | undefined;
  readonly timeoutMs: number;
}

/** The volume store; only the provisioner opens it. */
export interface StoreConfig {
  /** `file:///folder` or `s3://bucket/prefix?endpoint=...&region=...`. */
  readonly url: string;
  /** Both or neither. */
  readonly accessKey: Secret | undefined;
  readonly secretKey: Secret | undefined;
  /** The most that the host keeps of what it has read. */
  readonly cacheBytes: number;
}

/** What all services share. */
export interface CommonConfig {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  /** Web origins, besides the one that the request itself names, whose pages may use the API and the tunnel. */
  readonly publicOrigins: readonly string[];
  /** Express' `trust proxy`: false, a number of hops, or addresses. */
  readonly trustProxy: false | number | string;
  /** Absolute. */
  readonly stateDir: string;
  readonly logLevel: LogLevel;
  /** Where browsers find the gateway: a path on the same host, or a ws:// or wss:// URL. */
  readonly tunnelUrl: string;
  /** Members of this role may use what is for IT only. */
  readonly adminRole: string;
  readonly accelerator: 'auto' | 'kvm' | 'tcg';
  readonly driver: 'qemu' | 'fake';
  /** Name of this hypervisor host. */
  readonly hostName: string;
  readonly store: StoreConfig;
  /** Folder of the public keys, `*.pem`, whose app layers are trusted; absolute, need not be there. */
  readonly appKeysDir: string;
  /** Wraps the keys of profiles, the base64 of 32 bytes; without it there are no profiles. */
  readonly profileMasterKey: Secret | undefined;
  /** What wrapped them before, and still opens them. */
  readonly formerProfileMasterKeys: readonly Secret[];
  /** Which versions of profiles are kept. */
  readonly profileRetention: RetentionPolicy;
  /** The directory; only the broker needs it: `requireLdap(config)`. */
  readonly ldap: LdapConfig | undefined;
  /** Hints for the operator, e.g. a GOLDLEAF_ variable that means nothing. For the log, at start. */
  readonly warnings: readonly string[];
}

/** What a service runs with: read once from the environment, checked, deeply frozen. */
export interface AppConfig extends CommonConfig {
  readonly databaseUrl: Secret;
  readonly redisUrl: Secret;
  readonly guacd: { readonly host: string; readonly port: number };
  /** Seals display passwords in the database; the same for all services. */
  readonly secretKey: Secret;
}

/** The same for `npm start`, which starts itself whatever is undefined here. */
export interface StandaloneConfig extends CommonConfig {
  /** Whether the demo applications are built and assigned. */
  readonly demoApps: boolean;
  readonly databaseUrl: Secret | undefined;
  readonly redisUrl: Secret | undefined;
  readonly guacd: { readonly host: string; readonly port: number } | undefined;
  readonly secretKey: Secret | undefined;
}

/** What the `goldleaf` command is told of the broker. */
export interface ClientConfig {
  readonly url: string | undefined;
  /** File that holds the token and nothing else, instead of the sign-in that `goldleaf login` keeps. */
  readonly tokenFile: string | undefined;
}
