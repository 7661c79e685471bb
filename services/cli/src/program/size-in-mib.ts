import { InvalidArgumentError } from 'commander';

const mebibytes = { M: 1, G: 1024, T: 1024 * 1024 } as const;

/** Parses `512M`, `10G` or `1T` into MiB. @throws InvalidArgumentError */
export function sizeInMiB(text: string): number {
  const [, number, unit] = /^([1-9]\d{0,6})([MGT])(?:iB)?$/.exec(text) ?? [];
  if (number === undefined || unit === undefined) {
    throw new InvalidArgumentError('Expected a size such as 512M, 10G or 1T.');
  }
  return Number(number) * mebibytes[unit as keyof typeof mebibytes];
}
