/** The part of guacamole-lite 1.2.0 that is used here; it comes without types. */
declare module 'guacamole-lite/lib/GuacdClient.js' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';

  export default class GuacdClient extends EventEmitter {
    constructor(
      guacd: { host: string; port: number },
      connectionSelector: string,
      connectionSettings: Readonly<Record<string, unknown>>,
      logger: { log(level: number, ...args: unknown[]): void },
    );
    protected connectionSettings: Readonly<Record<string, unknown>>;
    protected guacamoleConnectionId: string | null;
    protected guacdConnection: Socket;
    protected activityCheckInterval: NodeJS.Timeout;
    close(error?: Error): void;
    protected sendInstruction(elements: readonly unknown[]): void;
    protected sendHandshakeReply(argumentNames: readonly string[]): void;
    protected processInstruction(opcode: string, args: readonly string[]): void;
  }
}
