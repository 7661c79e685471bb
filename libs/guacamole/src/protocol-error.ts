/** What came is not the Guacamole protocol. The message never quotes what came: it may be typed text. */
export class GuacamoleProtocolError extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'GuacamoleProtocolError';
  }
}
