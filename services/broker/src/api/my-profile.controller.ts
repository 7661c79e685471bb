import { Controller, Get, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type ProfileVersionView, type ProfileVolumeView, profileContextSchema } from '#libs/contracts';
import type { Principal } from '#libs/identity';
import { errors } from '#libs/kernel';
import { ProfileHistory } from '#libs/sessions';
import { CurrentPrincipal } from '../auth/principal.decorator.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { numberParam } from './number-param.js';

const contextParam = { schema: profileContextSchema };

/** A person's own profile. */
@ApiTags('profile')
@Controller('api/v1/me/profile')
export class MyProfileController {
  constructor(private readonly history: ProfileHistory) {}

  @Get('volumes')
  @Endpoint({
    summary: 'The own profile volumes, by context',
    answer: 'ProfileVolume',
    list: true,
    errors: [errors.notSignedIn],
  })
  volumes(@CurrentPrincipal() principal: Principal): Promise<ProfileVolumeView[]> {
    return this.history.volumes(principal);
  }

  @Get('volumes/:context/versions')
  @Endpoint({
    summary: 'The versions of an own profile volume, newest first',
    answer: 'ProfileVersion',
    list: true,
    errors: [errors.notSignedIn, errors.notFound],
  })
  versions(
    @CurrentPrincipal() principal: Principal,
    @Param('context', contextParam) context: string,
  ): Promise<ProfileVersionView[]> {
    return this.history.versions(principal.username, context);
  }

  @Post('volumes/:context/versions/:number/restore')
  @Endpoint({
    summary: 'Makes an older version of the own profile the newest again, where a pool of the person lets them',
    description: 'Not while a desktop has the profile open: log off first.',
    status: 202,
    errors: [errors.notSignedIn, errors.forbidden, errors.originRefused, errors.notFound, errors.conflict],
  })
  async restore(
    @CurrentPrincipal() principal: Principal,
    @Param('context', contextParam) context: string,
    @Param('number', numberParam) number: number,
  ): Promise<void> {
    await this.history.restoreOwn(principal, context, number);
  }
}
