const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `1536` as `1.5 KiB`. */
export function bytes(count: number): string {
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  const value = count / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** A time of the API in UTC, to the minute: `2026-11-23 02:16`. */
export const minute = (timestamp: string): string => timestamp.slice(0, 16).replace('T', ' ');

/** `1 version`, `2 versions`. */
export const count = (number: number, word: string, plural = `${word}s`): string =>
  `${number} ${number === 1 ? word : plural}`;

/** Names in a cell. */
export const list = (values: readonly string[]): string => (values.length > 0 ? values.join(', ') : '-');

// biome-ignore lint/suspicious/noControlCharactersInRegex: this is what they are looked for
const control = /[\u0000-\u001f\u007f-\u009f]/g;

/** Text of somebody else's without what a terminal would obey. */
export const printable = (text: string): string => text.replace(control, ' ');
