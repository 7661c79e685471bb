import { describe, expect, it } from '@jest/globals';
import { DomainError, errors } from '#libs/kernel';
import { SignInTurns } from './sign-in-turns.js';

/** A limit of `room` attempts, of which a right one gives all back. */
function limit(room: number) {
  const counts = { used: 0, reserved: 0, worked: 0 };
  const reserve = async (): Promise<void> => {
    counts.reserved += 1;
    if (counts.used >= room) throw new DomainError(errors.tooManyAttempts);
    counts.used += 1;
  };
  const work = async (isRight: boolean): Promise<string> => {
    counts.worked += 1;
    await new Promise((resolve) => setImmediate(resolve));
    if (!isRight) throw new DomainError(errors.invalidCredentials);
    counts.used = 0;
    return 'ok';
  };
  return { counts, reserve, work };
}

const codeOf = (error: unknown): string => (error instanceof DomainError ? error.code : String(error));

describe('SignInTurns', () => {
  it('lets all right attempts through, in turns', async () => {
    const turns = new SignInTurns();
    const { counts, reserve, work } = limit(3);
    const calls = Array.from({ length: 40 }, () => turns.take('alice', reserve, () => work(true)));
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 40 }, () => 'ok'));
    expect(counts.reserved).toBeLessThan(40 * 6);
  });

  it('refuses all that wait once the last was wrong, and checks none of them', async () => {
    const turns = new SignInTurns();
    const { counts, reserve, work } = limit(3);
    const calls = Array.from({ length: 40 }, () => turns.take('alice', reserve, () => work(false)).catch(codeOf));
    const answers = await Promise.all(calls);
    expect(answers.filter((answer) => answer === 'too-many-attempts')).toHaveLength(37);
    expect(counts).toEqual({ used: 3, worked: 3, reserved: 40 });
  });

  it('refuses at once when nobody of that name is under way', async () => {
    const turns = new SignInTurns();
    const { reserve, work } = limit(0);
    const other = turns.take(
      'bob',
      async () => undefined,
      () => new Promise<string>(() => undefined),
    );
    expect(await turns.take('alice', reserve, () => work(true)).catch(codeOf)).toBe('too-many-attempts');
    expect(other).toBeInstanceOf(Promise);
  });
});
