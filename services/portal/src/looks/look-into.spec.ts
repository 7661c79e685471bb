import { describe, expect, it } from '@jest/globals';
import type { ProfileLookupView } from '#libs/contracts';
import { ApiError } from '../api/api-error.js';
import { type LookFailed, lookInto } from './look-into.js';

const wanted = { kind: 'folder', path: 'Documents' } as const;
const view = (more: Partial<ProfileLookupView> = {}): ProfileLookupView => ({
  ...{ ...wanted, id: 'one', state: 'waiting', failure: null, entries: null, isComplete: true },
  createdAt: '2026-11-23T09:00:00Z',
  ...more,
});

/** Answers in turn, and how often it waited between them. */
function fake(...answers: (ProfileLookupView | Error)[]) {
  const pauses: number[] = [];
  const asked: string[] = [];
  const looks = {
    begin: async (look: object) => {
      asked.push(JSON.stringify(look));
      return { id: 'one' };
    },
    view: async (id: string) => {
      asked.push(id);
      const answer = answers.shift() ?? new Error('asked too often');
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const pause = async (ms: number): Promise<void> => void pauses.push(ms);
  return { looks, pause, pauses, asked };
}

describe('lookInto', () => {
  const signal = new AbortController().signal;

  it('asks until it is done, and not at once again', async () => {
    const done = view({ state: 'done', entries: [] });
    const { looks, pause, pauses, asked } = fake(view(), view(), done);
    expect(await lookInto(looks, wanted, signal, pause)).toBe(done);
    expect(asked).toEqual([JSON.stringify(wanted), 'one', 'one', 'one']);
    expect(pauses).toEqual([400, 400]);
  });

  it.each([
    ['not-found', view({ state: 'failed', failure: 'not-found' })],
    ['no-answer', view({ state: 'failed', failure: 'no-answer' })],
    ['expired', new ApiError('not-found', 404)],
  ])('says why it came to nothing: %s', async (fault, answer) => {
    const { looks, pause } = fake(view(), answer);
    const failed = (await lookInto(looks, wanted, signal, pause).catch((error: unknown) => error)) as LookFailed;
    expect(failed.fault).toBe(fault);
  });

  it('leaves other refusals as they are', async () => {
    const { looks, pause } = fake(new ApiError('forbidden', 403));
    await expect(lookInto(looks, wanted, signal, pause)).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('asks no more when nobody waits', async () => {
    const abort = new AbortController();
    const { looks, asked } = fake(view(), view());
    const look = lookInto(looks, wanted, abort.signal, async () => abort.abort());
    await expect(look).rejects.toMatchObject({ name: 'AbortError' });
    expect(asked).toEqual([JSON.stringify(wanted), 'one']);
  });
});
