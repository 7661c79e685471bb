import { connect } from 'node:net';
import { type DynamicModule, Inject, Module, type OnModuleDestroy } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { DataSource } from 'typeorm';
import { MessageBus, REDIS } from '#libs/bus';
import type { AppConfig } from '#libs/config';
import { TicketStore } from '#libs/guacamole';
import { OriginPolicy, ReadinessChecks, UpgradeDispatcher } from '#libs/http';
import { ConnectionService } from '#libs/sessions';
import { LOGGER, type Logger, Metrics } from '#libs/telemetry';
import { defaultGatewayOptions, type GatewayOptions } from './gateway-options.js';
import { TunnelEndpoint } from './tunnel-endpoint.js';

const optionsOf = (config: Pick<AppConfig, 'guacd' | 'trustProxy'>): GatewayOptions => ({
  ...defaultGatewayOptions,
  guacd: config.guacd,
  trustedProxies: typeof config.trustProxy === 'number' ? config.trustProxy : config.trustProxy === false ? 0 : 1,
});

/**
 * The tunnel endpoint. Needs the global modules of telemetry, HTTP, bus and sessions (with what those need); starts to
 * take upgrades of `/tunnel` as soon as it is made.
 */
@Module({})
export class GatewayModule implements OnModuleDestroy {
  constructor(@Inject(TunnelEndpoint) private readonly endpoint: TunnelEndpoint) {}

  static register(config: Pick<AppConfig, 'guacd' | 'trustProxy'>): DynamicModule {
    const options = optionsOf(config);
    return {
      module: GatewayModule,
      providers: [
        {
          provide: TunnelEndpoint,
          inject: [
            UpgradeDispatcher,
            OriginPolicy,
            REDIS,
            ConnectionService,
            MessageBus,
            Metrics,
            LOGGER,
            ReadinessChecks,
            DataSource,
          ],
          useFactory: (
            upgrades: UpgradeDispatcher,
            origins: OriginPolicy,
            redis: Redis,
            registry: ConnectionService,
            bus: MessageBus,
            metrics: Metrics,
            logger: Logger,
            readiness: ReadinessChecks,
            dataSource: DataSource,
          ) => {
            readiness.register('guacd', () => reach(options.guacd));
            readiness.register('redis', () => redis.ping());
            readiness.register('database', () => dataSource.query('SELECT 1'));
            const tickets = new TicketStore(redis);
            return new TunnelEndpoint({ upgrades, origins, tickets, registry, bus, metrics, logger, options });
          },
        },
      ],
    };
  }

  async onModuleDestroy(): Promise<void> {
    await this.endpoint.stop();
  }
}

/** Resolves when guacd takes a connection. */
function reach(address: GatewayOptions['guacd']): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(address, () => {
      socket.destroy();
      resolve();
    });
    socket.setTimeout(2_000, () => socket.destroy(new Error('guacd does not answer')));
    socket.once('error', reject);
  });
}
