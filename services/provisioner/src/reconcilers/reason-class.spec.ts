import { expect, it } from '@jest/globals';
import { reasonClass } from './reason-class.js';

it('takes the words before the colon, and nothing that would be another each time', () => {
  expect(reasonClass('could not be destroyed: MachineError: failed')).toBe('could-not-be-destroyed');
  expect(reasonClass('Leaf key leaked?')).toBe('leaf-key-leaked');
  expect(reasonClass(null)).toBe('other');
  expect(reasonClass('process 4711 is not ours: signal')).toBe('other');
  expect(reasonClass('x'.repeat(41))).toBe('other');
});
