import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { DesktopView, HostView } from '#libs/contracts';
import { DesktopQueries, HostRegistry } from '#libs/desktops';
import { errors } from '#libs/kernel';
import { ItOnly } from '../auth/it-only.decorator.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';

const refused = [errors.notSignedIn, errors.forbidden] as const;

/** What runs where. */
@ApiTags('it')
@ItOnly()
@Controller('api/v1')
export class FleetController {
  constructor(
    private readonly desktops: DesktopQueries,
    private readonly hosts: HostRegistry,
  ) {}

  @Get('desktops')
  @Endpoint({ summary: 'All desktops that exist, newest first', answer: 'Desktop', list: true, errors: refused })
  listDesktops(): Promise<DesktopView[]> {
    return this.desktops.list();
  }

  @Get('hosts')
  @Endpoint({ summary: 'The hypervisor hosts', answer: 'Host', list: true, errors: refused })
  listHosts(): Promise<HostView[]> {
    return this.hosts.list();
  }
}
