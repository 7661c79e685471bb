/** One step of a DN, e.g. `cn=call-center`; types in lower case, values unescaped. */
export interface NamePart {
  readonly type: string;
  readonly value: string;
}

/**
 * Takes a DN of RFC 4514 apart, first step first. It is only for comparing and for reading names: what is sent to a
 * server is always the text that the server gave.
 * @returns undefined when it is not a DN
 */
export function parseDn(dn: string): NamePart[][] | undefined {
  const steps: NamePart[][] = [[]];
  let position = 0;
  while (position < dn.length) {
    const equals = dn.indexOf('=', position);
    const type = dn.slice(position, equals).trim().toLowerCase();
    if (equals < 0 || !/^[a-z0-9][a-z0-9.-]*$/.test(type)) return undefined;
    const value = readValue(dn, equals + 1);
    steps.at(-1)?.push({ type, value: value.text });
    if (dn[value.end] === ',' || dn[value.end] === ';') steps.push([]);
    position = value.end + 1;
    if (value.end < dn.length && position >= dn.length) return undefined;
  }
  return steps[0]?.length === 0 ? [] : steps;
}

function readValue(dn: string, start: number): { text: string; end: number } {
  const bytes: Buffer[] = [];
  let position = start;
  while (dn[position] === ' ') position += 1;
  // Length of the value without spaces that were not escaped.
  let kept = 0;
  for (; position < dn.length && !',;+'.includes(dn[position] ?? ''); position += 1) {
    let character = dn[position] ?? '';
    const isEscaped = character === '\\';
    if (isEscaped) {
      const hex = /^[0-9a-fA-F]{2}/.exec(dn.slice(position + 1, position + 3))?.[0];
      bytes.push(
        hex ? Buffer.from(hex, 'hex') : Buffer.from(String.fromCodePoint(dn.codePointAt(position + 1) ?? 0x5c)),
      );
      position += hex ? 2 : 1;
    } else {
      character = String.fromCodePoint(dn.codePointAt(position) ?? 0x20);
      bytes.push(Buffer.from(character));
    }
    if (character.length === 2) position += 1;
    if (isEscaped || character !== ' ') kept = bytes.length;
  }
  return { text: Buffer.concat(bytes.slice(0, kept)).toString('utf8'), end: position };
}

/** One spelling for all spellings of a DN, for comparing. */
export function dnKey(dn: string): string {
  const steps = parseDn(dn);
  return JSON.stringify(steps ? steps.map(stepKey) : dn.toLowerCase());
}

/** Whether `dn` lies below `base`. */
export function isBelow(dn: string, base: string): boolean {
  const steps = parseDn(dn)?.map(stepKey);
  const baseSteps = parseDn(base)?.map(stepKey);
  if (!steps || !baseSteps || steps.length <= baseSteps.length) return false;
  return JSON.stringify(steps.slice(steps.length - baseSteps.length)) === JSON.stringify(baseSteps);
}

const stepKey = (step: readonly NamePart[]): string[] =>
  step.map(({ type, value }) => `${type}=${value.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()}`).sort();

/** Escapes a value for use inside a DN. Everything but plain letters and digits is written in hex. */
export const escapeDnValue = (value: string): string =>
  [...Buffer.from(value, 'utf8')]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9]/.test(character) ? character : `\\${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
