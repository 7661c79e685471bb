import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dnKey, escapeDnValue, isBelow, parseDn } from './distinguished-name.js';

describe('parseDn', () => {
  it('reads every way of escaping', () => {
    for (const [dn, value] of [
      ['cn=a\\+b,dc=x', 'a+b'],
      ['cn=a\\5Cb,dc=x', 'a\\b'],
      ['cn=a\\\\b , dc=x', 'a\\b'],
      ['cn=Smith\\, J,dc=x', 'Smith, J'],
      ['cn=a\\ ,dc=x', 'a '],
      ['cn= a ,dc=x', 'a'],
      ['cn=\\C4\\8D😀,dc=x', 'č😀'],
      ['cn=x=y,dc=x', 'x=y'],
    ] as const) {
      expect(parseDn(dn)).toEqual([[{ type: 'cn', value }], [{ type: 'dc', value: 'x' }]]);
    }
    expect(parseDn('cn=a+sn=b')).toEqual([
      [
        { type: 'cn', value: 'a' },
        { type: 'sn', value: 'b' },
      ],
    ]);
    expect(parseDn('')).toEqual([]);
    for (const bad of ['nonsense', 'cn=a,', 'cn=a,b', '=x']) expect(parseDn(bad)).toBeUndefined();
  });

  it('reads back any escaped value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (value) => {
        expect(parseDn(`cn=${escapeDnValue(value)},dc=x`)?.[0]).toEqual([{ type: 'cn', value }]);
      }),
    );
  });
});

describe('isBelow', () => {
  it('compares steps, not text', () => {
    expect(isBelow('CN=g, OU=Groups,DC=x', 'ou=groups,dc=x')).toBe(true);
    expect(isBelow('cn=g\\,ou=groups,dc=x', 'ou=groups,dc=x')).toBe(false);
    expect(isBelow('ou=groups,dc=x', 'ou=groups,dc=x')).toBe(false);
  });
});

describe('dnKey', () => {
  it('is the same for all spellings of a DN and for no other', () => {
    expect(dnKey('CN=A\\2bB,DC=x')).toBe(dnKey('cn=a\\+b, dc=x'));
    expect(dnKey('cn=a\\+b,dc=x')).not.toBe(dnKey('cn=a,dc=x'));
  });
});
