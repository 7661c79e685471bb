import { QmpClient } from './qmp-client.js';

const never = new Promise<never>(() => undefined);

/**
 * Stands between drivers of this process and their machines' monitors, for tests only: to say something on a driver's
 * own connection (a monitor takes one at a time), and to have a driver die at any of its commands.
 */
export class QmpTaps {
  private readonly execute = QmpClient.prototype.execute;
  private readonly dead = new WeakSet<QmpClient>();
  private last: QmpClient | undefined;
  private crash: { left: number; happen: (client: QmpClient) => void } | undefined;

  constructor() {
    const tap = (client: QmpClient, call: () => Promise<unknown>) => this.tap(client, call);
    const { execute } = this;
    QmpClient.prototype.execute = function (this: QmpClient, ...args: Parameters<typeof execute>) {
      return tap(this, () => execute.apply(this, args));
    };
  }

  /** On the connection that was used last. */
  say(command: string, args: Record<string, unknown> = {}): Promise<unknown> {
    if (!this.last) throw new Error('no driver has spoken yet');
    return this.execute.call(this.last, command, args);
  }

  /**
   * The driver dies when its n-th command from now was carried out: it hears no answer, and says nothing more.
   * @returns resolves when it has died
   */
  crashAfter(n: number): Promise<void> {
    return new Promise((resolve) => {
      const happen = (client: QmpClient) => {
        this.crash = undefined;
        client.close();
        resolve();
      };
      this.crash = { left: n, happen };
    });
  }

  cancelCrash(): void {
    this.crash = undefined;
  }

  remove(): void {
    QmpClient.prototype.execute = this.execute;
  }

  private tap(client: QmpClient, call: () => Promise<unknown>): Promise<unknown> {
    if (this.dead.has(client)) return never;
    this.last = client;
    const { crash } = this;
    if (!crash) return call();
    crash.left--;
    if (crash.left > 0) return call();
    this.dead.add(client);
    return call()
      .catch(() => undefined)
      .then(() => crash.happen(client))
      .then(() => never);
  }
}
