import { WsAdapter } from '@nestjs/platform-ws';
import { WebSocketServer } from 'ws';

/**
 * Nest's websocket adapter without its own listener for `upgrade`, which would destroy the gateway's tunnels. A gateway
 * takes its path itself: in `afterInit(server)`, `dispatcher.route(path, ...)` and then `server.handleUpgrade`.
 */
export class DispatchedWsAdapter extends WsAdapter {
  override create(_port: number, options: { readonly maxPayload?: number } = {}): WebSocketServer {
    return this.bindErrorHandler(
      new WebSocketServer({ noServer: true, clientTracking: true, maxPayload: options.maxPayload ?? 64 * 1024 }),
    );
  }
}
