import { describe, expect, it } from '@jest/globals';
import { negotiateVersion } from './guacd-handshake.js';

describe('negotiateVersion', () => {
  it.each([
    [undefined, [1, 0, 0]],
    ['VERSION_1_1_0', [1, 1, 0]],
    ['VERSION_1_3_0', [1, 3, 0]],
    ['VERSION_1_5_0', [1, 5, 0]],
    ['VERSION_1_6_2', [1, 5, 0]],
    ['VERSION_2_0_0', [1, 5, 0]],
    ['VERSION_rubbish', [1, 0, 0]],
  ])('%s -> %j', (offered, spoken) => {
    expect(negotiateVersion(offered)).toEqual(spoken);
  });
});
