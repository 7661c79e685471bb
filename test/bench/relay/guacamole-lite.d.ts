/** The server that is compared with; it comes without types. */
declare module 'guacamole-lite' {
  export default class GuacamoleLite {
    constructor(webSocket: object, guacd: object, client: object);
  }
}
