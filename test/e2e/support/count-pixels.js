// Runs in the page, so it is plain JavaScript. Counts the colours that the largest canvas of the desktop shows.
(() => {
  let largest;
  for (const canvas of document.querySelectorAll('[data-testid=desktop] canvas')) {
    if (canvas.width * canvas.height > (largest ? largest.width * largest.height : 0)) largest = canvas;
  }
  const context = largest?.getContext('2d');
  if (!context) return { colours: 0, areas: [] };
  const { data } = context.getImageData(0, 0, largest.width, largest.height);
  const counts = new Map();
  for (let i = 0; i < data.length; i += 4) {
    const colour = (data[i] << 16) | (data[i + 1] << 8) | data[i + 2];
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const areas = [...counts].filter(([, count]) => count > 20_000);
  return { colours: counts.size, areas };
})();
