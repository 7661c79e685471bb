import { describe, expect, it } from '@jest/globals';
import { until } from './until.js';

describe('until', () => {
  it('gives what the condition gives once it is there', async () => {
    const answers = [undefined, false, new Error('not yet'), 0];
    const next = () => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer as number | undefined | false;
    };
    expect(await until('a number', next)).toBe(0);
    expect(answers).toEqual([]);
  });

  it('says what was waited for, and why it was not there', async () => {
    const cause = new Error('refused');
    const waiting = until('the server', () => Promise.reject(cause), 0);
    await expect(waiting).rejects.toMatchObject({ message: 'timed out after 0 ms: the server', cause });
  });
});
