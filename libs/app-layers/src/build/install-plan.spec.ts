import { describe, expect, it } from '@jest/globals';
import { readInstallPlan } from './install-plan.js';

const line = (name: string, version: string, old?: string) =>
  `Inst ${name} ${old ? `[${old}] ` : ''}(${version} Debian:12.15/oldstable [amd64])`;
const plan = (...lines: string[]) => readInstallPlan(['Reading package lists...', ...lines].join('\n'), ['wanted']);

describe('readInstallPlan', () => {
  it('names what would be added', () => {
    expect(plan(line('zlib', '1.0-1'), line('app', '2:3.1+b1'), 'Conf app (2:3.1+b1 x [amd64])')).toEqual([
      { name: 'app', version: '2:3.1+b1' },
      { name: 'zlib', version: '1.0-1' },
    ]);
  });

  it('refuses to upgrade or remove what the golden image has, and names it', () => {
    const refused = () => plan(line('app', '1'), line('libc6', '2.37', '2.36'), 'Remv mousepad [0.5]');
    expect(refused).toThrow(expect.objectContaining({ code: 'changes-base' }));
    expect(refused).toThrow(/mousepad would be removed; libc6 would go from 2\.36 to 2\.37/);
  });

  it('names packages that there are not', () => {
    for (const text of [
      'E: Unable to locate package nosuch',
      "E: Package 'nosuch' has no installation candidate",
      "E: Version '9' for 'nosuch' was not found",
    ]) {
      expect(() => plan(text)).toThrow(
        expect.objectContaining({ code: 'unknown-package', message: expect.stringContaining('nosuch') }),
      );
    }
  });

  it('says what is in the way', () => {
    const unmet = () =>
      plan(
        'The following packages have unmet dependencies:',
        ' app : Depends: libx (= 2) but 1 is installed',
        'E: Unable to correct problems, you have held broken packages.',
      );
    expect(unmet).toThrow(expect.objectContaining({ code: 'changes-base' }));
    expect(unmet).toThrow(/Depends: libx \(= 2\)/);
  });

  it('says when the golden image has it all', () => {
    expect(() => plan('wanted is already the newest version (1).')).toThrow(
      expect.objectContaining({ code: 'content-refused' }),
    );
  });
});
