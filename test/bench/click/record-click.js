// Runs in the page before the portal does, so it is plain JavaScript. Notes when what follows from a click on a pool
// happens, in milliseconds since 1970, and tells the bench when the desktop is drawn.
(() => {
  let marks = {};
  const noCounts = () => ({ images: 0, frames: 0, bytes: 0, repaints: 0, repaintsBefore: 0 });
  let counts = noCounts();
  const now = () => performance.timeOrigin + performance.now();
  const mark = (name) => {
    marks[name] ??= now();
  };

  const { fetch, WebSocket } = window;
  window.fetch = async (input, init) => {
    const { pathname } = new URL(typeof input === 'string' ? input : (input.url ?? input.href), location.href);
    const isPost = init?.method === 'POST';
    const call = isPost && (/\/sessions$/.exec(pathname) ? 'session' : /\/tickets$/.exec(pathname) ? 'ticket' : '');
    if (!call) return fetch(input, init);
    mark(`${call}Asked`);
    const answer = await fetch(input, init);
    mark(`${call}Answered`);
    return answer;
  };
  window.WebSocket = class extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols);
      if (!String(url).includes('/tunnel')) {
        this.addEventListener('message', ({ data }) => {
          if (String(data).includes('"state":"ready"')) mark('readyTold');
        });
        return;
      }
      mark('tunnelAsked');
      this.addEventListener('open', () => mark('tunnelOpen'));
      this.addEventListener('message', ({ data }) => {
        const text = String(data);
        counts.images += text.split('3.img,').length - 1;
        counts.frames += text.split('4.sync,').length - 1;
        counts.bytes += text.length;
        if (marks.uncovered) return;
        const picture = text.lastIndexOf('3.img,');
        if (picture >= 0) {
          marks.picture = now();
          marks.frame = undefined;
        }
        if (marks.picture && marks.frame === undefined && text.lastIndexOf('4.sync,') > picture) {
          marks.frame = now();
          counts.repaintsBefore = counts.repaints;
        }
      });
    }
  };

  /** The same that makes a desktop drawn for `count-pixels.js`, and no longer than it takes to be sure. */
  const isDrawn = () => {
    const desktop = document.querySelector('[data-testid=desktop]');
    if (desktop?.dataset.connected !== 'true' || desktop.classList.contains('desktop-covered')) return false;
    mark('uncovered');
    let largest;
    for (const canvas of desktop.querySelectorAll('canvas')) {
      if (canvas.width * canvas.height > (largest ? largest.width * largest.height : 0)) largest = canvas;
    }
    const context = largest?.getContext('2d');
    if (!context) return false;
    const { data } = context.getImageData(0, 0, largest.width, largest.height);
    const colours = new Set();
    for (let i = 0; i < data.length && colours.size <= 200; i += 4) {
      colours.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    }
    return colours.size > 200;
  };
  const look = () => {
    counts.repaints += 1;
    if (!isDrawn()) return void requestAnimationFrame(look);
    mark('drawn');
    const { desktopId } = document.querySelector('[data-testid=desktop]').dataset;
    const { images, frames, bytes, repaints, repaintsBefore } = counts;
    window.tellDrawn({ ...marks, desktopId, images, frames, bytes, repaints: repaints - repaintsBefore });
  };
  document.addEventListener(
    'click',
    ({ target, timeStamp }) => {
      if (!(target instanceof Element) || !target.closest('[data-testid^=open-]')) return;
      counts = noCounts();
      marks = { clicked: performance.timeOrigin + timeStamp };
      look();
    },
    true,
  );
})();
