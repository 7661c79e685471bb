/** What a tunnel may cost and how long its ends may be quiet. */
export interface RelayLimits {
  /** guacd is not read while more than this waits for the browser. */
  readonly pauseAboveBytes: number;
  /** guacd is read again when no more than this waits for the browser. */
  readonly resumeBelowBytes: number;
  /** Longest instruction taken from guacd. With `pauseAboveBytes` and one read it stays below 1 MiB. */
  readonly maxInstructionBytes: number;
  /** A dead display is known by its silence: guacd sends a `sync` every second when nothing changes. */
  readonly silenceTimeoutMs: number;
  /** Bytes come (guacd's own keep-alive) but no frame ends. */
  readonly syncTimeoutMs: number;
  /** From `ready` to the first `sync`. */
  readonly firstSyncTimeoutMs: number;
  /** The browser takes none of what waits for it. */
  readonly browserStallTimeoutMs: number;
  /** The browser is asked for a sign of life when it has been quiet for this long ... */
  readonly browserPingAfterMs: number;
  /** ... and given up when it gave none for this long. */
  readonly browserGoneTimeoutMs: number;
  /** How long a closing tunnel waits for the browser's answer before the socket is destroyed. */
  readonly closeTimeoutMs: number;
  /** How often the above are checked. */
  readonly checkEveryMs: number;
}

const KiB = 1024;

export const defaultRelayLimits: RelayLimits = {
  pauseAboveBytes: 256 * KiB,
  resumeBelowBytes: 64 * KiB,
  maxInstructionBytes: 512 * KiB,
  silenceTimeoutMs: 6_000,
  syncTimeoutMs: 15_000,
  firstSyncTimeoutMs: 10_000,
  browserStallTimeoutMs: 30_000,
  browserPingAfterMs: 10_000,
  browserGoneTimeoutMs: 40_000,
  closeTimeoutMs: 2_000,
  checkEveryMs: 500,
};
