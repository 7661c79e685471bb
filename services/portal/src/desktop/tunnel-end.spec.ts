import { describe, expect, it } from '@jest/globals';
import { tunnelEndOf } from './tunnel-end.js';

describe('tunnelEndOf', () => {
  it.each([
    [{ code: 0x0209 }, 'conflict'],
    [{ code: 521, message: '521 opened-elsewhere: This desktop was opened in another window.' }, 'conflict'],
    [{ code: 518, message: 'desktop-replaced: A clean desktop takes the place of this one.' }, 'replaced'],
    [{ code: 519, message: '519 desktop-refused: The desktop refused the connection.' }, 'silent'],
    [{ code: 769, message: '769 signed-out: You have signed out.' }, 'refused'],
    [{ code: Number.NaN, message: 'opened-elsewhere' }, 'conflict'],
    [{ code: 0x020b, message: '523' }, 'closed'],
    [{ code: 0x0202, message: 'Server timeout.' }, 'silent'],
    [{ code: 0x0303 }, 'refused'],
    [{ code: 0x0207 }, 'lost'],
    [{ code: Number.NaN, message: 'something else' }, 'lost'],
    [null, 'lost'],
  ] as const)('%o is %s', (status, end) => expect(tunnelEndOf(status)).toBe(end));
});
