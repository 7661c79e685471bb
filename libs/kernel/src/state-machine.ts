/** From each state, the states that it may move to. */
export type TransitionTable<State extends string> = Readonly<Record<State, readonly State[]>>;

/** A checked transition table. */
export interface StateMachine<State extends string> {
  readonly name: string;
  readonly initial: State;
  readonly states: readonly State[];
  /** States that nothing leaves. */
  readonly terminal: readonly State[];
  canMove(from: State, to: State): boolean;
  /** All states from which `to` may be entered. */
  sourcesOf(to: State): readonly State[];
}

/**
 * Checks a transition table and makes a state machine of it.
 * @throws Error when a state cannot be reached from `initial`: a table with a dead entry must fail the boot.
 */
export function defineStateMachine<State extends string>(
  name: string,
  initial: State,
  table: TransitionTable<State>,
): StateMachine<State> {
  const states = Object.keys(table) as State[];
  const reached = new Set<State>([initial]);
  for (const state of reached) for (const next of table[state]) reached.add(next);
  const unreachable = states.filter((state) => !reached.has(state));
  if (unreachable.length > 0) throw new Error(`${name}: no way leads to ${unreachable.join(', ')}`);
  return {
    name,
    initial,
    states,
    terminal: states.filter((state) => table[state].length === 0),
    canMove: (from, to) => table[from].includes(to),
    sourcesOf: (to) => states.filter((state) => table[state].includes(to)),
  };
}

/** @throws Error when the table of transitions has no such way: a fault in the program */
export function assertPath<State extends string>(machine: StateMachine<State>, path: readonly State[]): void {
  path.slice(1).forEach((to, index) => {
    const from = path[index] as State;
    if (!machine.canMove(from, to)) throw new Error(`${machine.name}: no move ${from} -> ${to}`);
  });
}
