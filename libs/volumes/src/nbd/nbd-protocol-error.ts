/** The client does not speak NBD, or asks for more than anyone may. Its connection is closed. */
export class NbdProtocolError extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'NbdProtocolError';
  }
}
