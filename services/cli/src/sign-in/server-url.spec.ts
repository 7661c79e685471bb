import { describe, expect, it } from '@jest/globals';
import { signInPath } from './sign-in-file.js';
import { serverUrl } from './signed-in-broker.js';

describe('serverUrl', () => {
  it('is one text for one server', () => {
    expect(serverUrl('HTTP://Desktops.Example.org:80/')).toBe('http://desktops.example.org');
    expect(serverUrl('https://example.org/desktops/')).toBe('https://example.org/desktops');
  });

  it.each(['example.org', 'ftp://example.org', 'https://me:secret@example.org'])('refuses %s', (text) => {
    expect(() => serverUrl(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('signInPath', () => {
  it('is in the configuration folder of the person; a relative one does not count', () => {
    expect(signInPath({ XDG_CONFIG_HOME: '/config', HOME: '/home/x' })).toBe('/config/goldleaf/sign-in.json');
    expect(signInPath({ XDG_CONFIG_HOME: 'config', HOME: '/home/x' })).toBe('/home/x/.config/goldleaf/sign-in.json');
  });
});
