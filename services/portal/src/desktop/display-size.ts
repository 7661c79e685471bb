import type { DisplaySize } from '#libs/contracts';

/** The part of `window` that decides the size. */
export interface Viewport {
  readonly innerWidth: number;
  readonly innerHeight: number;
  readonly devicePixelRatio: number;
}

/**
 * The size in pixels that the guest should have for this window. Up to a ratio of about 1.7 one guest pixel is one
 * screen pixel (sharp); on denser screens it covers a whole number of them, since the guest knows no scaling and its
 * text would be too small to read. The width is a multiple of 8 as display timings want it.
 */
export function wantedDisplaySize(viewport: Viewport): DisplaySize {
  const ratio = guestPixelRatio(viewport.devicePixelRatio);
  return {
    width: clamp(floorTo(viewport.innerWidth * ratio, 8), 640, 7680),
    height: clamp(floorTo(viewport.innerHeight * ratio, 2), 480, 4320),
  };
}

/** Guest pixels per CSS pixel. */
export function guestPixelRatio(devicePixelRatio: number): number {
  if (!(devicePixelRatio > 0)) return 1;
  return devicePixelRatio / Math.max(1, Math.floor(devicePixelRatio + 0.3));
}

export interface DisplayFit {
  /** CSS pixels per guest pixel. */
  readonly scale: number;
  readonly left: number;
  readonly top: number;
}

/**
 * How to show a guest of `size` in the window: as large as fits, centred; where a guest pixel comes to within 2 % of a
 * whole number of screen pixels it is made exactly that, so that text is not blurred for nothing.
 */
export function fitDisplay(size: DisplaySize, viewport: Viewport): DisplayFit {
  const fit = Math.min(viewport.innerWidth / size.width, viewport.innerHeight / size.height);
  const device = viewport.devicePixelRatio > 0 ? viewport.devicePixelRatio : 1;
  const whole = Math.round(fit * device);
  const exact = whole / device;
  const scale = whole >= 1 && exact <= fit && fit / exact < 1.02 ? exact : fit;
  return {
    scale,
    left: Math.max(0, Math.floor((viewport.innerWidth - size.width * scale) / 2)),
    top: Math.max(0, Math.floor((viewport.innerHeight - size.height * scale) / 2)),
  };
}

function floorTo(value: number, step: number): number {
  // A whole number of device pixels can come out as 1023.9999 after the multiplication.
  return Math.floor((value + 0.01) / step) * step;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
