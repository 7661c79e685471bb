import type { StateMachine } from '#libs/kernel';

/** @throws Error when the table of transitions has no such move: a fault in the program */
export function assertPath<State extends string>(machine: StateMachine<State>, path: readonly State[]): void {
  path.slice(1).forEach((to, index) => {
    const from = path[index] as State;
    if (!machine.canMove(from, to)) throw new Error(`${machine.name}: no move ${from} -> ${to}`);
  });
}
