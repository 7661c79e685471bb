import { describe, expect, it } from '@jest/globals';
import { pathOf } from './broker-http.js';

describe('pathOf', () => {
  it('keeps what is in a part in that part', () => {
    expect(pathOf('apps', 'x', 'assignments', 'a/b ?#ü')).toBe('/apps/x/assignments/a%2Fb%20%3F%23%C3%BC');
    expect(pathOf('images', 'demo', 'versions', 3)).toBe('/images/demo/versions/3');
  });
});
