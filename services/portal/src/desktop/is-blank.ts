import type * as GuacamoleTypes from 'guacamole-common-js';

const sample = { width: 32, height: 24 };
/** Darker than this in every channel counts as black. */
const darkest = 10;

/** True while the display is black all over, as it is before the desktop's own picture has arrived. */
export function isBlank(display: GuacamoleTypes.Display): boolean {
  const canvas = document.createElement('canvas');
  canvas.width = sample.width;
  canvas.height = sample.height;
  const context = canvas.getContext('2d');
  if (!context) return false;
  context.drawImage(display.getDefaultLayer().getCanvas(), 0, 0, sample.width, sample.height);
  const { data } = context.getImageData(0, 0, sample.width, sample.height);
  return !data.some((value, index) => index % 4 !== 3 && value > darkest);
}
