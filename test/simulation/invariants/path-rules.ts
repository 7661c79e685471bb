import { desktopStates, sessionStates } from '#libs/fleet';
import type { Tally } from '../report/tally.js';
import { Violation } from './violation.js';

export interface Move {
  readonly entity: string;
  readonly entityId: string;
  readonly fromState: string | null;
  readonly toState: string;
}

const machines = new Map<string, { readonly initial: string; canMove(from: string, to: string): boolean }>(
  [desktopStates, sessionStates].map((machine) => [machine.name, machine as never]),
);

/** `state_events` tells a legal path of every row, without a gap, and it ends where the row is. */
export class PathRules {
  private readonly states = new Map<string, string>();

  constructor(private readonly tally: Tally) {}

  moved({ entity, entityId, fromState, toState }: Move): void {
    const machine = machines.get(entity);
    const state = this.states.get(entityId) ?? null;
    const text = `${entity} ${entityId} was ${state}; the event says ${fromState} -> ${toState}`;
    if (state !== fromState) throw new Violation('path without a gap', text);
    const isLegal = fromState === null ? toState === machine?.initial : machine?.canMove(fromState, toState);
    if (!isLegal) throw new Violation('legal path', text);
    this.states.set(entityId, toState);
    this.tally.count(`${entity}: ${fromState ?? '(new)'} -> ${toState}`);
  }

  /** Call when all events of the commit are known. */
  endsAt(entityId: string, state: string): void {
    const told = this.states.get(entityId);
    if (told !== state)
      throw new Violation('path ends at the row', `${entityId} is ${state}; its events end at ${told}`);
  }
}
