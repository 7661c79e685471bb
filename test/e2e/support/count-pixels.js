// Runs in the page, so it is plain JavaScript. Counts what the largest canvas of the desktop shows.
(() => {
  let largest;
  for (const canvas of document.querySelectorAll('[data-testid=desktop] canvas')) {
    if (canvas.width * canvas.height > (largest ? largest.width * largest.height : 0)) largest = canvas;
  }
  const context = largest?.getContext('2d');
  if (!context) return { colours: 0, red: 0, green: 0 };
  const { data } = context.getImageData(0, 0, largest.width, largest.height);
  const colours = new Set();
  let red = 0;
  let green = 0;
  for (let i = 0; i < data.length; i += 4) {
    const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
    colours.add((r << 16) | (g << 8) | b);
    if (r > 150 && g < 60 && b < 60) red += 1;
    if (g > 150 && r < 60 && b < 60) green += 1;
  }
  return { colours: colours.size, red, green };
})();
