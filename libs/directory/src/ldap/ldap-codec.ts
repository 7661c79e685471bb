import ldapjs, { type Filter } from 'ldapjs';
import { type BerElement, readElements, readInteger } from './ber.js';

/*
 * Requests are encoded by ldapjs; answers are decoded here. ldapjs (3.0.7) turns every DN of an answer into an object
 * and loses parts of it on the way: `cn=a\+b` becomes `cn=a`, somebody else's name, and a backslash is not escaped
 * again. A DN that is to be bound as must stay as the server wrote it, byte for byte.
 */

interface EncodableMessage {
  toBer(): { readonly buffer: Buffer };
}
type MessageClass<Options> = new (options: Options & { messageId: number }) => EncodableMessage;

// These classes are exported by ldapjs but missing from its types.
const messages = ldapjs as unknown as {
  readonly BindRequest: MessageClass<{ name: string; credentials: string }>;
  readonly SearchRequest: MessageClass<Record<string, unknown>>;
  readonly ExtendedRequest: MessageClass<{ requestName: string }>;
  readonly UnbindRequest: MessageClass<object>;
};

/** A DN that ldapjs passes on as it is. */
export const rawDn = (dn: string): object => ({ [Symbol.toStringTag]: 'LdapDn', toString: () => dn });

export interface LdapSearch {
  readonly baseDn: string;
  readonly scope: 'base' | 'sub';
  /** Made of filter objects, never of strings. */
  readonly filter: Filter;
  readonly attributes: readonly string[];
  readonly sizeLimit: number;
}

export const encodeBind = (messageId: number, name: string, credentials: string): Buffer =>
  new messages.BindRequest({ messageId, name, credentials }).toBer().buffer;

export const encodeUnbind = (messageId: number): Buffer => new messages.UnbindRequest({ messageId }).toBer().buffer;

export const encodeStartTls = (messageId: number): Buffer =>
  new messages.ExtendedRequest({ messageId, requestName: '1.3.6.1.4.1.1466.20037' }).toBer().buffer;

export const encodeSearch = (messageId: number, search: LdapSearch, timeLimitSeconds: number): Buffer =>
  new messages.SearchRequest({
    messageId,
    baseObject: rawDn(search.baseDn),
    scope: search.scope,
    sizeLimit: search.sizeLimit,
    timeLimit: timeLimitSeconds,
    filter: search.filter,
    attributes: [...search.attributes],
  }).toBer().buffer;

/** An entry as a search finds it. Names of attributes are in lower case. */
export interface LdapEntry {
  readonly dn: string;
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

export type LdapAnswer =
  | { readonly kind: 'entry'; readonly entry: LdapEntry }
  | { readonly kind: 'result'; readonly resultCode: number; readonly diagnostic: string }
  | { readonly kind: 'ignored' };

const tags = { searchEntry: 0x64, results: new Set([0x61, 0x65, 0x78]), searchReference: 0x73, intermediate: 0x79 };

/** Decodes one LDAPMessage (the content of its outer sequence). @throws RangeError when it is not one */
export function decodeMessage(content: Buffer): { messageId: number; answer: LdapAnswer } {
  const [id, operation] = readElements(content);
  if (!operation) throw new RangeError('LDAP: message without an operation');
  return { messageId: readInteger(id), answer: decodeOperation(operation) };
}

function decodeOperation(operation: BerElement): LdapAnswer {
  // Referrals are not followed: they could lead anywhere, with the person's password.
  if (operation.tag === tags.searchReference || operation.tag === tags.intermediate) return { kind: 'ignored' };
  const parts = readElements(operation.content);
  if (tags.results.has(operation.tag)) {
    return { kind: 'result', resultCode: readInteger(parts[0]), diagnostic: text(parts[2]).slice(0, 200) };
  }
  if (operation.tag !== tags.searchEntry) throw new RangeError(`LDAP: unexpected operation ${operation.tag}`);
  const attributes = new Map<string, string[]>();
  for (const attribute of readElements(parts[1]?.content ?? Buffer.alloc(0))) {
    const [type, values] = readElements(attribute.content);
    attributes.set(text(type).toLowerCase(), readElements(values?.content ?? Buffer.alloc(0)).map(text));
  }
  return { kind: 'entry', entry: { dn: text(parts[0]), attributes } };
}

const text = (element: BerElement | undefined): string => element?.content.toString('utf8') ?? '';
