import type { Route } from './fake-route.js';

export class FakeConsole {
  admitted = false;
  clear(): void {
    this.admitted = false;
  }
  readonly routes: readonly Route[] = [];
}
