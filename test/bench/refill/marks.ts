import type { FleetStore, FleetTransaction } from '#libs/fleet';

/** Milliseconds of the clock that all threads of a process share. */
export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** When what a refill consists of was done in one thread: one entry for each desktop. */
export interface RefillMarks {
  /** Its assignment was committed. */
  readonly assigned: number[];
  /** The order of a new one was committed. */
  readonly ordered: number[];
  /** The driver was asked for its machine. */
  readonly created: number[];
}

export const noMarks = (): RefillMarks => ({ assigned: [], ordered: [], created: [] });

/** The marks so far, which are forgotten. */
export const takeMarks = ({ assigned, ordered, created }: RefillMarks): RefillMarks => ({
  assigned: assigned.splice(0),
  ordered: ordered.splice(0),
  created: created.splice(0),
});

/** Notes from here on when transactions of this store that assign or order desktops are committed. */
export function watchCommits(store: FleetStore, marks: RefillMarks): void {
  const transact = store.transact.bind(store);
  store.transact = (work) => transact((tx) => work(watched(tx, marks)));
}

function watched(tx: FleetTransaction, marks: RefillMarks): FleetTransaction {
  // The first hook of a transaction runs at once after its commit.
  const noteEach = <Done extends readonly unknown[]>(done: Done, into: number[]): Done => {
    tx.afterCommit(() => void into.push(...done.map(nowMs)));
    return done;
  };
  const claimSpares = tx.claimSpares.bind(tx);
  const addDesktops = tx.addDesktops.bind(tx);
  tx.claimSpares = async (...claim) => noteEach(await claimSpares(...claim), marks.assigned);
  tx.addDesktops = async (...order) => noteEach(await addDesktops(...order), marks.ordered);
  return tx;
}

/** What `goldleaf_refill_start_seconds` has counted so far. */
export interface RefillMetric {
  readonly count: number;
  readonly sumSeconds: number;
  readonly within50Ms: number;
}
