import { Body, Controller, Delete, Get, Param, Patch, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { type DesktopView, type HostView, idSchema, type UpdateHost, updateHostSchema } from '#libs/contracts';
import { DesktopDisposal, DesktopQueries, HostRegistry, HostService } from '#libs/desktops';
import type { Principal } from '#libs/identity';
import { DomainError, errors } from '#libs/kernel';
import { HostFencing, ProfileAdministration } from '#libs/sessions';
import { ItOnly } from '../auth/it-only.decorator.js';
import { CurrentPrincipal } from '../auth/principal.decorator.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';

const refused = [errors.notSignedIn, errors.forbidden] as const;
/** Hosts are named as their systems are. */
const hostNameSchema = z.string().min(1).max(253);

/** What runs where. */
@ApiTags('it')
@ItOnly()
@Controller('api/v1')
export class FleetController {
  constructor(
    private readonly desktops: DesktopQueries,
    private readonly disposal: DesktopDisposal,
    private readonly hosts: HostRegistry,
    private readonly hostService: HostService,
    private readonly fencing: HostFencing,
    private readonly profiles: ProfileAdministration,
  ) {}

  @Get('desktops')
  @Endpoint({ summary: 'All desktops that exist, newest first', answer: 'Desktop', list: true, errors: refused })
  listDesktops(): Promise<DesktopView[]> {
    return this.desktops.list();
  }

  @Delete('desktops/:id')
  @Endpoint({
    summary: 'Destroys a spare, or tries again to destroy a desktop in quarantine',
    description: 'Its pool makes another. A desktop that somebody has is destroyed when they log off.',
    status: 202,
    answer: 'Desktop',
    errors: [...refused, errors.originRefused, errors.notFound, errors.conflict],
  })
  discardDesktop(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: idSchema }) id: string,
  ): Promise<DesktopView> {
    return this.disposal.discard(id, principal.username);
  }

  @Post('desktops/:id/give-up-profile')
  @Endpoint({
    summary: 'Destroys a desktop whose profile cannot be saved at its end',
    description:
      'What its person wrote since the last version is lost for ever; the profile is free again as of that version. Only ' +
      'for desktops that are `recycling` and have a `profileProblem`: these are tried again until they are saved.',
    status: 202,
    answer: 'Desktop',
    errors: [...refused, errors.originRefused, errors.notFound, errors.conflict],
  })
  async giveUpProfile(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: idSchema }) id: string,
  ): Promise<DesktopView> {
    await this.profiles.giveUp(id, principal.username);
    const desktop = await this.desktops.view(id);
    if (!desktop) throw new DomainError(errors.notFound);
    return desktop;
  }

  @Get('hosts')
  @Endpoint({
    summary: 'The hypervisor hosts, what runs on them and what they have left',
    answer: 'Host',
    list: true,
    errors: refused,
  })
  listHosts(): Promise<HostView[]> {
    return this.hosts.list();
  }

  @Patch('hosts/:name')
  @Endpoint({
    summary: 'Drains a host, or takes it into use again',
    description:
      'While `draining` no desktops are made on the host and its spares are given up for others elsewhere; desktops in ' +
      'use stay until they are given back.',
    answer: 'Host',
    errors: [...refused, errors.invalidRequest, errors.originRefused, errors.notFound],
  })
  updateHost(
    @CurrentPrincipal() principal: Principal,
    @Param('name', { schema: hostNameSchema }) name: string,
    @Body({ schema: updateHostSchema }) change: UpdateHost,
  ): Promise<HostView> {
    return this.hostService.update(name, change, principal.username);
  }

  @Put('hosts/:name/fence')
  @Endpoint({
    summary: 'Gives a host up that is dead, or cut off from people and from the store',
    description:
      'Its people get other desktops with their profiles as of the last version; what the host still writes of them is ' +
      'refused. A host that comes back destroys all its machines first.',
    status: 204,
    errors: [...refused, errors.originRefused, errors.notFound],
  })
  async fenceHost(
    @CurrentPrincipal() principal: Principal,
    @Param('name', { schema: hostNameSchema }) name: string,
  ): Promise<void> {
    await this.fencing.fence(name, principal.username);
  }

  @Delete('hosts/:name/fence')
  @Endpoint({
    summary: 'Takes a host back that was given up, once it has destroyed all its machines; it goes on draining',
    status: 204,
    errors: [...refused, errors.originRefused, errors.notFound, errors.conflict],
  })
  async liftFence(
    @CurrentPrincipal() principal: Principal,
    @Param('name', { schema: hostNameSchema }) name: string,
  ): Promise<void> {
    await this.fencing.lift(name, principal.username);
  }
}
