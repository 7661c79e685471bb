import type * as GuacamoleTypes from 'guacamole-common-js';
import Guacamole from 'guacamole-common-js';

const moves = ['mousedown', 'mousemove', 'mouseup'];

/** Sends mouse and touch on the client's display to the guest, and shows the guest's pointer as the local one. */
export function forwardPointer(client: GuacamoleTypes.Client): void {
  const display = client.getDisplay();
  const element = display.getElement();
  const mouse = new Guacamole.Mouse(element);
  let pointerIsLocal = true;

  const send = (event: GuacamoleTypes.Event): void => {
    client.sendMouseState((event as GuacamoleTypes.Mouse.Event).state, true);
  };

  mouse.onEach(moves, (event) => {
    display.showCursor(!pointerIsLocal);
    send(event);
  });
  mouse.on('mouseout', (event) => {
    display.showCursor(false);
    send(event);
  });
  display.oncursor = (canvas, x, y) => {
    pointerIsLocal = canvas.width > 0 && mouse.setCursor(canvas, x, y);
    display.showCursor(!pointerIsLocal);
  };

  // A finger is where it is: tap = click, long press = right button, two fingers = wheel.
  const touch = new Guacamole.Mouse.Touchscreen(element);
  touch.onEach(moves, (event) => {
    display.showCursor(true);
    send(event);
  });
}
