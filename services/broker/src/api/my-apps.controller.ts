import { Controller, Delete, Get, Param, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type MyApp, nameSchema } from '#libs/contracts';
import type { Principal } from '#libs/identity';
import { errors } from '#libs/kernel';
import { MyApps, SessionApps } from '#libs/sessions';
import { CurrentPrincipal } from '../auth/principal.decorator.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';

const nameParam = { schema: nameSchema };

/** A person's own applications. */
@ApiTags('apps')
@Controller('api/v1/me/apps')
export class MyAppsController {
  constructor(
    private readonly myApps: MyApps,
    private readonly sessionApps: SessionApps,
  ) {}

  @Get()
  @Endpoint({
    summary: 'The applications that the person has or may pin, by display name',
    answer: 'MyApp',
    list: true,
    errors: [errors.notSignedIn],
  })
  list(@CurrentPrincipal() principal: Principal): Promise<MyApp[]> {
    return this.myApps.list(principal);
  }

  @Put(':name/pin')
  @Endpoint({
    summary: 'Pins an application that the role allows: in live sessions too, and at every logon',
    status: 204,
    errors: [errors.notSignedIn, errors.originRefused, errors.notFound, errors.conflict],
  })
  async pin(@CurrentPrincipal() principal: Principal, @Param('name', nameParam) name: string): Promise<void> {
    await this.sessionApps.pin(principal, name);
  }

  @Delete(':name/pin')
  @Endpoint({
    summary: 'Takes the pin away; live sessions keep the application. What is not pinned is no error',
    status: 204,
    errors: [errors.notSignedIn, errors.originRefused],
  })
  async unpin(@CurrentPrincipal() principal: Principal, @Param('name', nameParam) name: string): Promise<void> {
    await this.sessionApps.unpin(principal, name);
  }
}
