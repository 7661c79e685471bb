const LONGEST_WAIT_SECONDS = 60;

/** Wait before the next try after so many failures in a row: 2, 4, 8 ... 60 s. 0 without any. */
export function retryAfterSeconds(failuresInARow: number): number {
  return failuresInARow === 0 ? 0 : Math.min(2 ** failuresInARow, LONGEST_WAIT_SECONDS);
}
