import { dnKey } from '../ldap/distinguished-name.js';
import type { EmbeddedEntry } from './embedded-entries.js';

/** What ldapjs makes of a filter that arrives; fields are there as the type needs them. */
export interface ReceivedFilter {
  readonly type: string;
  readonly attribute?: string;
  readonly value?: string;
  readonly filters?: readonly ReceivedFilter[];
  readonly filter?: ReceivedFilter;
}

const dnAttributes = new Set(['member', 'uniquemember', 'entrydn']);

/** Matches as directories do: without regard to case, DNs by their meaning. Kinds of filter it does not know: no. */
export function matchesFilter(filter: ReceivedFilter, entry: EmbeddedEntry): boolean {
  const attribute = filter.attribute?.toLowerCase() ?? '';
  const values = entry.attributes.get(attribute) ?? [];
  switch (filter.type) {
    case 'AndFilter':
      return filter.filters?.every((part) => matchesFilter(part, entry)) ?? false;
    case 'OrFilter':
      return filter.filters?.some((part) => matchesFilter(part, entry)) ?? false;
    case 'NotFilter':
      return filter.filter !== undefined && !matchesFilter(filter.filter, entry);
    case 'PresenceFilter':
      return values.length > 0;
    case 'EqualityFilter': {
      const spell = dnAttributes.has(attribute) ? dnKey : plain;
      return values.some((value) => spell(value) === spell(unescaped(filter.value ?? '')));
    }
    default:
      return false;
  }
}

const plain = (value: string): string => value.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase();

/** ldapjs leaves the escapes of the filter's text form in the value (and mangles characters of four bytes). */
const unescaped = (value: string): string =>
  value.replace(/(?:\\[0-9a-f]{2})+/gi, (hex) => Buffer.from(hex.replaceAll('\\', ''), 'hex').toString('utf8'));
