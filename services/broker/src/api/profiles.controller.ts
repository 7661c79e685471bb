import { Body, Controller, Delete, Get, Param, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  type ProfileLimitView,
  type ProfileVersionView,
  type ProfileView,
  type ProfileVolumeView,
  type PutProfileLimit,
  profileContextSchema,
  putProfileLimitSchema,
} from '#libs/contracts';
import type { Principal } from '#libs/identity';
import { errors } from '#libs/kernel';
import { ProfileService } from '#libs/profiles';
import { ProfileAdministration, ProfileHistory } from '#libs/sessions';
import { ItOnly } from '../auth/it-only.decorator.js';
import { CurrentPrincipal } from '../auth/principal.decorator.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { numberParam } from './number-param.js';
import { usernameParam, usernameSchema } from './username-param.js';

const roleSchema = usernameSchema;
const profileQuerySchema = z.strictObject({
  username: usernameSchema.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
});

const read = [errors.notSignedIn, errors.forbidden] as const;
const change = [...read, errors.originRefused] as const;
const contextParam = { schema: profileContextSchema };

@ApiTags('it')
@ItOnly()
@Controller('api/v1/profiles')
export class ProfilesController {
  constructor(
    private readonly profiles: ProfileService,
    private readonly history: ProfileHistory,
    private readonly administration: ProfileAdministration,
  ) {}

  @Get()
  @Endpoint({
    summary: 'Roaming profiles: roles and applications of people at their last logon, latest first',
    answer: 'Profile',
    list: true,
    errors: [...read, errors.invalidRequest],
  })
  list(@Query({ schema: profileQuerySchema }) query: z.infer<typeof profileQuerySchema>): Promise<ProfileView[]> {
    return this.profiles.list(query);
  }

  @Get('limits')
  @Endpoint({
    summary: 'How large profiles of people in each role may be; of several roles the largest holds',
    answer: 'ProfileLimit',
    list: true,
    errors: read,
  })
  limits(): Promise<ProfileLimitView[]> {
    return this.administration.listLimits();
  }

  @Put('limits/:role')
  @Endpoint({
    summary: 'Sets how large profiles of people in a role may be, from their next logon on',
    description: 'Profiles never get smaller: one that is larger already stays so.',
    answer: 'ProfileLimit',
    errors: [...change, errors.invalidRequest, errors.notFound],
  })
  setLimit(
    @CurrentPrincipal() principal: Principal,
    @Param('role', { schema: roleSchema }) role: string,
    @Body({ schema: putProfileLimitSchema }) { sizeMiB }: PutProfileLimit,
  ): Promise<ProfileLimitView> {
    return this.administration.setLimit(role, sizeMiB, principal.username);
  }

  @Delete('limits/:role')
  @Endpoint({
    summary: 'Takes the limit of a role away; the default holds then',
    status: 204,
    errors: [...change, errors.notFound],
  })
  async removeLimit(
    @CurrentPrincipal() principal: Principal,
    @Param('role', { schema: roleSchema }) role: string,
  ): Promise<void> {
    await this.administration.removeLimit(role, principal.username);
  }

  @Delete(':username')
  @Endpoint({
    summary: "Destroys the keys of all of a person's profile volumes: nobody can ever read them again",
    description: 'Their next logon makes new, empty ones. Desktops that have one open go on and keep nothing.',
    status: 204,
    errors: [...change, errors.notFound],
  })
  async destroy(
    @CurrentPrincipal() principal: Principal,
    @Param('username', usernameParam) username: string,
  ): Promise<void> {
    await this.administration.destroy(username, null, principal.username);
  }

  @Get(':username/volumes')
  @Endpoint({
    summary: 'The profile volumes of a person, by context; none for somebody who is not known',
    answer: 'ProfileVolume',
    list: true,
    errors: [...read, errors.notFound],
  })
  volumes(@Param('username', usernameParam) username: string): Promise<ProfileVolumeView[]> {
    return this.history.volumesOf(username);
  }

  @Delete(':username/volumes/:context')
  @Endpoint({
    summary: "Destroys the key of one of a person's profile volumes: nobody can ever read it again",
    status: 204,
    errors: [...change, errors.notFound],
  })
  async destroyVolume(
    @CurrentPrincipal() principal: Principal,
    @Param('username', usernameParam) username: string,
    @Param('context', contextParam) context: string,
  ): Promise<void> {
    await this.administration.destroy(username, context, principal.username);
  }

  @Get(':username/volumes/:context/versions')
  @Endpoint({
    summary: 'The versions of a profile volume, newest first, damaged ones too',
    answer: 'ProfileVersion',
    list: true,
    errors: [...read, errors.notFound],
  })
  versions(
    @Param('username', usernameParam) username: string,
    @Param('context', contextParam) context: string,
  ): Promise<ProfileVersionView[]> {
    return this.history.versions(username, context);
  }

  @Post(':username/volumes/:context/versions/:number/restore')
  @Endpoint({
    summary: 'Makes an older version of a profile the newest again, under a number of its own, within seconds',
    description: 'What was the newest stays among the versions. Not while a desktop writes the volume.',
    status: 202,
    errors: [...change, errors.notFound, errors.conflict],
  })
  async restore(
    @CurrentPrincipal() principal: Principal,
    @Param('username', usernameParam) username: string,
    @Param('context', contextParam) context: string,
    @Param('number', numberParam) number: number,
  ): Promise<void> {
    await this.history.restore(username, context, number, principal.username);
  }
}
