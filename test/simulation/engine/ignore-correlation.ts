import { AsyncLocalStorage } from 'node:async_hooks';

/** For threads that do nothing but simulate: correlation ids show nothing there and cost a third of the time. */
export function ignoreCorrelation(): void {
  AsyncLocalStorage.prototype.run = (_store: unknown, work: (...args: never[]) => unknown, ...args: never[]) =>
    work(...args) as never;
}
