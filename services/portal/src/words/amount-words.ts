/** `812 B`, `64 kB`, `19.2 MB`, `214 MB`, `1.3 GB`, in thousands. */
export function wordsForBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (unit < units.length - 1 && Number(value.toFixed(0)) >= 1000) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit >= 2 && value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** The day alone, as the browser's language writes it. */
export function wordsForDay(timestamp: string): string {
  return new Date(timestamp).toLocaleDateString([], { day: 'numeric', month: 'short', year: 'numeric' });
}

/** Day and time as the browser's language writes them. */
export function wordsForTime(timestamp: string): string {
  const time = new Date(timestamp).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return `${wordsForDay(timestamp)}, ${time}`;
}

/** `10 GiB`, or `512 MiB` where it is no whole number of GiB. */
export function wordsForMiB(mebibytes: number): string {
  return mebibytes % 1024 === 0 ? `${mebibytes / 1024} GiB` : `${mebibytes} MiB`;
}

/** `14:05` today, `21 Nov, 14:05` before. */
export function wordsForMoment(timestamp: string, now = new Date()): string {
  const date = new Date(timestamp);
  const time = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const sameDay = date.toDateString() === now.toDateString();
  return sameDay ? time : `${date.toLocaleDateString([], { day: 'numeric', month: 'short' })}, ${time}`;
}
