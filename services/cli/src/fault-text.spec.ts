import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '#libs/config';
import { VolumeError } from '#libs/volumes';
import { CliError, UsageError } from './cli-error.js';
import { faultText } from './fault-text.js';

describe('faultText', () => {
  it('takes the words of faults that are written for people', () => {
    expect(faultText(new CliError('no', 'no-server', { url: 'x' }))).toEqual({
      code: 'no-server',
      text: 'no',
      details: { url: 'x' },
      exitCode: 1,
    });
    expect(faultText(new UsageError('how?'))).toMatchObject({ code: 'usage', exitCode: 2 });
    expect(faultText(new VolumeError('no-space', 'full'))).toMatchObject({ code: 'no-space', text: 'full' });
    expect(faultText(new ConfigError(['X: expected y']))).toMatchObject({ code: 'config-invalid', exitCode: 1 });
  });

  it('shows where an unexpected one came from', () => {
    const fault = faultText(new TypeError('odd'));
    expect(fault).toMatchObject({ code: 'unexpected', exitCode: 1 });
    expect(fault.text).toContain('fault-text.spec');
  });
});
