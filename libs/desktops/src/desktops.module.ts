import { type DynamicModule, Module } from '@nestjs/common';
import { FleetModule } from '#libs/fleet';
import { ImagesModule } from '#libs/images';
import { LookupSeal } from '#libs/profiles';
import { DesktopDisposal } from './desktop-disposal.js';
import { DesktopLifecycle } from './desktop-lifecycle.js';
import { DesktopQueries } from './desktop-queries.js';
import { DisplaySeal } from './display-seal.js';
import { HostRegistry } from './host-registry.js';
import { HostService } from './host-service.js';
import { PoolController } from './pool-controller.js';
import { PoolService } from './pool-service.js';
import { PoolTallies } from './pool-tallies.js';
import { RefillEvents } from './refill-events.js';

const providers = [
  DesktopDisposal,
  DesktopLifecycle,
  DesktopQueries,
  HostRegistry,
  HostService,
  PoolController,
  PoolService,
  PoolTallies,
  RefillEvents,
];

@Module({})
export class DesktopsModule {
  /** @param options.secretKey GOLDLEAF_SECRET_KEY: seals display passwords, and what was found in profiles */
  static register(options: { secretKey: string }): DynamicModule {
    return {
      module: DesktopsModule,
      global: true,
      imports: [FleetModule, ImagesModule],
      providers: [
        { provide: DisplaySeal, useValue: new DisplaySeal(options.secretKey) },
        { provide: LookupSeal, useValue: new LookupSeal(options.secretKey) },
        ...providers,
      ],
      exports: [DisplaySeal, LookupSeal, FleetModule, ImagesModule, ...providers],
    };
  }
}
