import { describe, expect, it } from '@jest/globals';
import { proxyOptions, sourceLines } from './package-sources.js';

describe('sourceLines', () => {
  const targets = [
    'Packages|http://mirror.example/debian/|bookworm|main',
    'Packages|http://mirror.example/debian/|bookworm|contrib',
    'Packages|http://mirror.example/debian/|bookworm-updates|main',
    'Packages|https://mirror.example/security/|bookworm-security|main',
    'Translations|http://mirror.example/debian/|bookworm|main',
    'Packages|http://other.example/tool/|nodistro|main',
  ].join('\n');

  it('takes the main part of the suite, its updates and its security fixes from where the host has them', () => {
    expect(sourceLines(targets, 'bookworm')).toEqual([
      'deb http://mirror.example/debian/ bookworm main',
      'deb http://mirror.example/debian/ bookworm-updates main',
      'deb https://mirror.example/security/ bookworm-security main',
    ]);
  });

  it('finds nothing on a host of another release', () => {
    expect(sourceLines(targets, 'trixie')).toBeUndefined();
    expect(sourceLines('', 'bookworm')).toBeUndefined();
  });
});

describe('proxyOptions', () => {
  it('passes on proxies and nothing else', () => {
    const config =
      'Acquire::http::Proxy "http://proxy.example:3128";\nAcquire::Languages "none";\nAcquire::http::Proxy "";';
    expect(proxyOptions(config)).toEqual(['Acquire::http::Proxy "http://proxy.example:3128"']);
  });
});
