/** Something that leaves the process: to be done by the scheduler, at a time of its choice or, when its process dies, late or never. */
export type Step = () => Promise<unknown>;

export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** Work of a process, which may stop for ever at each of its steps. */
export type Task = Generator<Step, void, Outcome>;

/** Within a task: does a step and gives what came of it. */
export function* call<T>(step: () => Promise<T>): Generator<Step, T, Outcome> {
  const outcome = yield step;
  if ('error' in outcome) throw outcome.error;
  return outcome.value as T;
}

/** Within a task: others may do something here, and the process may die. */
export function* pause(): Generator<Step, void, Outcome> {
  yield () => Promise.resolve();
}
