import { Injectable } from '@nestjs/common';
import { ConnectionService, SessionExpiry } from '#libs/sessions';

/** Gateways send a sign of life every 5 s. */
const GATEWAY_SILENT_SECONDS = 20;

/** Ends abandoned sessions, fails stuck ones, closes the connections of gateways that are gone. */
@Injectable()
export class SessionReconciler {
  constructor(
    private readonly connections: ConnectionService,
    private readonly expiry: SessionExpiry,
  ) {}

  async run(): Promise<void> {
    await this.connections.closeSilent(GATEWAY_SILENT_SECONDS);
    await this.expiry.endAbandoned();
    await this.expiry.failStuck();
  }
}
