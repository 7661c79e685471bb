import { Global, Module } from '@nestjs/common';
import { FleetStore } from './fleet-store.js';
import { PostgresFleetStore } from './postgres/postgres-fleet-store.js';

/** Needs the global modules of database and audit. */
@Global()
@Module({
  providers: [{ provide: FleetStore, useClass: PostgresFleetStore }],
  exports: [FleetStore],
})
export class FleetModule {}
