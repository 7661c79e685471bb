import { Body, Controller, Get, Param, Patch, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  type CreatePool,
  createPoolSchema,
  nameSchema,
  type PoolView,
  type UpdatePool,
  updatePoolSchema,
} from '#libs/contracts';
import { PoolService } from '#libs/desktops';
import type { Principal } from '#libs/identity';
import { errors } from '#libs/kernel';
import { ItOnly } from '../auth/it-only.decorator.js';
import { CurrentPrincipal } from '../auth/principal.decorator.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';

const refused = [errors.notSignedIn, errors.forbidden] as const;

@ApiTags('it')
@ItOnly()
@Controller('api/v1/pools')
export class PoolsController {
  constructor(private readonly pools: PoolService) {}

  @Get()
  @Endpoint({ summary: 'All pools with their settings and counts', answer: 'Pool', list: true, errors: refused })
  list(): Promise<PoolView[]> {
    return this.pools.list();
  }

  @Get(':name')
  @Endpoint({ summary: 'One pool', answer: 'Pool', errors: [...refused, errors.notFound] })
  one(@Param('name', { schema: nameSchema }) name: string): Promise<PoolView> {
    return this.pools.view(name);
  }

  @Post()
  @Endpoint({
    summary: 'Makes a pool; its spares are built from now on',
    status: 201,
    answer: 'Pool',
    errors: [...refused, errors.invalidRequest, errors.originRefused, errors.conflict],
  })
  create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: createPoolSchema }) pool: CreatePool,
  ): Promise<PoolView> {
    return this.pools.create(pool, principal.username);
  }

  @Patch(':name')
  @Endpoint({
    summary: 'Changes the settings, the size or the mode of a pool',
    description:
      '`mode`: `active` keeps spares and serves everybody; `draining` keeps none and serves only people who have a ' +
      'session, also through restarts; `maintenance` makes no desktops at all. Whoever asks meanwhile waits in the ' +
      'queue and is told why.',
    answer: 'Pool',
    errors: [...refused, errors.invalidRequest, errors.originRefused, errors.notFound],
  })
  update(
    @CurrentPrincipal() principal: Principal,
    @Param('name', { schema: nameSchema }) name: string,
    @Body({ schema: updatePoolSchema }) change: UpdatePool,
  ): Promise<PoolView> {
    return this.pools.update(name, change, principal.username);
  }
}
