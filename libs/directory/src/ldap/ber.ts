/** One element of BER as LDAP uses it: a tag of one byte, a definite length, the content. */
export interface BerElement {
  readonly tag: number;
  readonly content: Buffer;
  /** Where the next element starts. */
  readonly end: number;
}

/**
 * Reads the element at `offset`.
 * @returns undefined when the buffer does not hold all of it yet
 * @throws RangeError when it is not BER as LDAP uses it, or longer than `maxBytes`
 */
export function readElement(buffer: Buffer, offset = 0, maxBytes = Number.MAX_SAFE_INTEGER): BerElement | undefined {
  const tag = buffer[offset];
  const first = buffer[offset + 1];
  if (tag === undefined || first === undefined) return undefined;
  if ((tag & 0x1f) === 0x1f) throw new RangeError('BER: tags of several bytes are not used in LDAP');
  let length = first;
  let start = offset + 2;
  if (first >= 0x80) {
    const size = first & 0x7f;
    if (size === 0 || size > 4) throw new RangeError('BER: length not as LDAP allows it');
    if (buffer.length < start + size) return undefined;
    length = buffer.readUIntBE(start, size);
    start += size;
  }
  if (length > maxBytes) throw new RangeError(`BER: element of ${length} bytes is too long`);
  const end = start + length;
  return buffer.length < end ? undefined : { tag, content: buffer.subarray(start, end), end };
}

/** Reads all elements inside `content`. @throws RangeError when the last one is cut off */
export function readElements(content: Buffer): BerElement[] {
  const elements: BerElement[] = [];
  for (let offset = 0; offset < content.length; ) {
    const element = readElement(content, offset);
    if (!element) throw new RangeError('BER: element is cut off');
    elements.push(element);
    offset = element.end;
  }
  return elements;
}

/** Reads an INTEGER or ENUMERATED of at most four bytes. */
export function readInteger(element: BerElement | undefined): number {
  if (!element || element.content.length < 1 || element.content.length > 4) throw new RangeError('BER: bad integer');
  return element.content.readIntBE(0, element.content.length);
}
