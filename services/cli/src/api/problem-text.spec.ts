import { describe, expect, it } from '@jest/globals';
import { problemText } from './problem-text.js';

const problem = { type: 'urn:x', status: 400, code: 'invalid-request', title: 'The request is not valid' };

describe('problemText', () => {
  it('is the title, the detail and a line for each field', () => {
    const errors = [
      { path: 'body.ring', message: 'pilot or broad' },
      { path: '', message: 'too much' },
    ];
    expect(problemText(problem)).toBe('The request is not valid');
    expect(problemText({ ...problem, detail: 'Look', errors })).toBe(
      'The request is not valid: Look\n  body.ring: pilot or broad\n  too much',
    );
  });

  it('names when to try again, and what finds the log lines of a fault on the other side', () => {
    expect(problemText({ ...problem, status: 429, retryAfterSeconds: 30 })).toContain('Try again in 30 s');
    expect(problemText({ ...problem, correlationId: 'abc' })).not.toContain('abc');
    expect(problemText({ ...problem, status: 500, correlationId: 'abc' })).toContain('abc');
  });

  it('keeps what a server says from steering the terminal', () => {
    const text = problemText({ ...problem, detail: '\u001b]0;title\u0007' });
    expect(text).toBe('The request is not valid:  ]0;title ');
  });
});
