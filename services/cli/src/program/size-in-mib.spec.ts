import { describe, expect, it } from '@jest/globals';
import { sizeInMiB } from './size-in-mib.js';

describe('sizeInMiB', () => {
  it.each([
    ['512M', 512],
    ['10G', 10_240],
    ['10GiB', 10_240],
    ['1T', 1_048_576],
  ])('reads %s', (text, mebibytes) => expect(sizeInMiB(text)).toBe(mebibytes));

  it.each(['10', '0G', '-1G', '1.5G', '10g', '10GB', 'G', '', '10 G'])('refuses %j', (text) => {
    expect(() => sizeInMiB(text)).toThrow('Expected a size such as');
  });
});
