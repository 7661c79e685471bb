import { describe, expect, it } from '@jest/globals';
import { parseConsoleRoute } from './console-route.js';

describe('parseConsoleRoute', () => {
  it.each([
    ['/console', { page: 'apps', app: null }],
    ['/console/', { page: 'apps', app: null }],
    ['/console/apps', { page: 'apps', app: null }],
    ['/console/apps/gnumeric', { page: 'apps', app: 'gnumeric' }],
    ['/console/people', { page: 'people', person: null }],
    ['/console/people/anna%2Fb%20c', { page: 'people', person: 'anna/b c' }],
    ['/console/people/%', { page: 'people', person: '%' }],
    ['/console/limits', { page: 'limits' }],
    ['/console/desktops', { page: 'desktops' }],
    ['/console/images', { page: 'images' }],
    ['/console/nothing/gnumeric', { page: 'apps', app: null }],
  ])('%s', (pathname, route) => {
    expect(parseConsoleRoute(pathname)).toEqual(route);
  });
});
