import { describe, expect, it } from '@jest/globals';
import { MachineError } from '#libs/hypervisor';
import { AppRefusal, refusalOf } from './app-refusal.js';

describe('AppRefusal', () => {
  it('has a message that can be written down, whatever the guest said', () => {
    expect(new AppRefusal('failed', 'no\0thing\ud83d').message).toBe('no thing');
    expect(refusalOf(new Error('guest-exec: \0')).message).toBe('guest-exec:');
  });

  it('tells who was too slow from what failed', () => {
    expect(refusalOf(new MachineError('guest-unresponsive', 'no answer')).reason).toBe('too-slow');
    expect(refusalOf(new MachineError('failed', 'no')).reason).toBe('failed');
  });
});
