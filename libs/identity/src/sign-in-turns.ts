import { DomainError, errors } from '#libs/kernel';

interface Name {
  /** Attempts that are being counted or checked. */
  underWay: number;
  readonly waiting: ((mayTryAgain: boolean) => void)[];
}

/** How long somebody waits for the outcome of others before being turned away. */
const patienceMs = 3_000;
/** How many are let go on when one has made room; too many would only be refused again. */
const letGoAtOnce = 5;

/**
 * Attempts count before their outcome is known, so many right ones at once under one name (a script, several tabs)
 * would turn each other away. An attempt that is refused waits here while others of its name are under way in this
 * process: one that was right makes room, and when the last was wrong, all are refused.
 */
export class SignInTurns {
  private readonly names = new Map<string, Name>();

  /**
   * @param reserve is called again after a refusal (`too-many-attempts`) when others have made room
   * @throws what `reserve` and `work` throw
   */
  async take<Reserved, T>(
    key: string,
    reserve: () => Promise<Reserved>,
    work: (reserved: Reserved) => Promise<T>,
  ): Promise<T> {
    const deadline = Date.now() + patienceMs;
    const name = this.names.get(key) ?? { underWay: 0, waiting: [] };
    this.names.set(key, name);
    name.underWay += 1;
    for (;;) {
      let madeRoom = false;
      let refusal: DomainError;
      try {
        const result = await work(await reserve());
        madeRoom = true;
        return result;
      } catch (error) {
        madeRoom = !DomainError.is(error, errors.invalidCredentials) && !DomainError.is(error, errors.tooManyAttempts);
        if (!DomainError.is(error, errors.tooManyAttempts)) throw error;
        refusal = error;
      } finally {
        this.ended(key, name, madeRoom);
      }
      if (!(await this.mayTryAgain(name, deadline))) throw refusal;
    }
  }

  private ended(key: string, name: Name, madeRoom: boolean): void {
    name.underWay -= 1;
    if (madeRoom) {
      const next = name.waiting.splice(0, letGoAtOnce);
      name.underWay += next.length;
      for (const letGo of next) letGo(true);
    } else if (name.underWay === 0) {
      for (const letGo of name.waiting.splice(0)) letGo(false);
    }
    if (name.underWay === 0) this.names.delete(key);
  }

  private async mayTryAgain(name: Name, deadline: number): Promise<boolean> {
    if (name.underWay === 0) return false;
    return new Promise((resolve) => {
      const letGo = (mayTryAgain: boolean): void => {
        clearTimeout(timer);
        resolve(mayTryAgain);
      };
      const timer = setTimeout(
        () => {
          name.waiting.splice(name.waiting.indexOf(letGo), 1);
          resolve(false);
        },
        Math.max(0, deadline - Date.now()),
      );
      name.waiting.push(letGo);
    });
  }
}
