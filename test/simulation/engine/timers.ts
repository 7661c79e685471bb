import type { SimProcess } from './sim-process.js';

/** Something that falls due at a virtual time. */
export interface Timer {
  readonly atMs: number;
  /** Decides between timers of one time. */
  readonly order: number;
  /** Whose timer it is: it dies with its process. Null for what is outside all processes. */
  readonly process: SimProcess | null;
  readonly what: string;
  readonly fire: () => void;
  isCancelled: boolean;
}

/** Timers in the order in which they fall due (a binary heap). */
export class Timers {
  private readonly heap: Timer[] = [];
  private added = 0;

  add(timer: Omit<Timer, 'order' | 'isCancelled'>): Timer {
    const added: Timer = { ...timer, order: this.added++, isCancelled: false };
    this.heap.push(added);
    this.rise(this.heap.length - 1);
    return added;
  }

  /** The first that was not cancelled. */
  peek(): Timer | undefined {
    for (let first = this.heap[0]; first; first = this.heap[0]) {
      if (!first.isCancelled && first.process?.state !== 'dead') return first;
      this.removeFirst();
    }
    return undefined;
  }

  take(): Timer | undefined {
    const first = this.peek();
    if (first) this.removeFirst();
    return first;
  }

  private removeFirst(): void {
    const last = this.heap.pop();
    if (last && this.heap.length > 0) {
      this.heap[0] = last;
      this.sink(0);
    }
  }

  private rise(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.isBefore(index, parent)) return;
      this.swap(index, parent);
      index = parent;
    }
  }

  private sink(from: number): void {
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      let least = index;
      if (left < this.heap.length && this.isBefore(left, least)) least = left;
      if (left + 1 < this.heap.length && this.isBefore(left + 1, least)) least = left + 1;
      if (least === index) return;
      this.swap(index, least);
      index = least;
    }
  }

  private isBefore(one: number, other: number): boolean {
    const a = this.heap[one] as Timer;
    const b = this.heap[other] as Timer;
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  }

  private swap(one: number, other: number): void {
    const kept = this.heap[one] as Timer;
    this.heap[one] = this.heap[other] as Timer;
    this.heap[other] = kept;
  }
}
