import pg from 'pg';

type Ask = (...given: unknown[]) => unknown;

/**
 * A client that gives its connection up when PostgreSQL does not answer. `statement_timeout` is kept by the server: it
 * says nothing when the server's host has frozen or the network is gone, and then a request, and all that share a
 * transaction with it, would wait for TCP to give up, a quarter of an hour.
 * @param limitMs longer than the server's own time-out, so that a slow statement is told of by name
 */
export function guardedClient(limitMs: number): typeof pg.Client {
  return class GuardedClient extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      super(config);
      const ask = this.query.bind(this) as Ask;
      // The driver's overloads are many, and what is asked is passed on as it is.
      this.query = ((...given: unknown[]) => {
        const answer = ask(...given);
        if (answer instanceof Promise) this.guard(answer);
        return answer;
      }) as typeof this.query;
    }

    private guard(answer: Promise<unknown>): void {
      const { stream } = (this as unknown as { connection: { stream: { destroy(error: Error): void } } }).connection;
      const giveUp = () => {
        // The code of a lost connection: those who ask are told to try again.
        const error = new Error(`PostgreSQL did not answer within ${limitMs} ms`);
        stream.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
      };
      const timer = setTimeout(giveUp, limitMs);
      const settled = () => clearTimeout(timer);
      answer.then(settled, settled);
    }
  };
}
