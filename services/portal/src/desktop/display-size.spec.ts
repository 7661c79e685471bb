import { describe, expect, it } from '@jest/globals';
import { fitDisplay, guestPixelRatio, wantedDisplaySize } from './display-size.js';

const viewport = (innerWidth: number, innerHeight: number, devicePixelRatio = 1) => ({
  innerWidth,
  innerHeight,
  devicePixelRatio,
});

describe('wantedDisplaySize', () => {
  it.each([
    [viewport(1024, 768), { width: 1024, height: 768 }],
    [viewport(1366, 657), { width: 1360, height: 656 }],
    [viewport(1280, 720, 1.25), { width: 1600, height: 900 }],
    [viewport(1280, 800, 2), { width: 1280, height: 800 }],
    [viewport(200, 100), { width: 640, height: 480 }],
    [viewport(20_000, 9_000), { width: 7680, height: 4320 }],
  ])('%o asks for %o', (window, size) => expect(wantedDisplaySize(window)).toEqual(size));
});

describe('guestPixelRatio', () => {
  it('keeps a readable size on dense screens', () => {
    expect([1, 1.5, 2, 3, 0.5, 0].map(guestPixelRatio)).toEqual([1, 1.5, 1, 1, 0.5, 1]);
  });
});

describe('fitDisplay', () => {
  it('shows a guest of the right size pixel for pixel', () => {
    expect(fitDisplay({ width: 1024, height: 768 }, viewport(1024, 768))).toEqual({ scale: 1, left: 0, top: 0 });
  });

  it('does not blur for the sake of a few pixels at the edge', () => {
    expect(fitDisplay({ width: 1360, height: 656 }, viewport(1366, 657))).toEqual({ scale: 1, left: 3, top: 0 });
  });

  it('scales and centres a guest that has not followed yet', () => {
    const fit = fitDisplay({ width: 1024, height: 768 }, viewport(1280, 800));
    expect(fit.scale).toBeCloseTo(800 / 768);
    expect(fit.left).toBe(106);
  });

  it('shrinks a guest that is larger than the window', () => {
    expect(fitDisplay({ width: 1920, height: 1080 }, viewport(960, 540)).scale).toBe(0.5);
  });
});
