import { Body, Controller, Get, Param, Post, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import {
  type BeginProfileLookup,
  beginProfileLookupSchema,
  idSchema,
  type ProfileLookupBegun,
  type ProfileLookupView,
  profileContextSchema,
} from '#libs/contracts';
import type { Principal } from '#libs/identity';
import { errors } from '#libs/kernel';
import { ProfileLooks } from '#libs/sessions';
import { ItOnly } from '../auth/it-only.decorator.js';
import { CurrentPrincipal } from '../auth/principal.decorator.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { numberParam } from './number-param.js';
import { sendFile } from './send-file.js';
import { usernameParam } from './username-param.js';

const contextParam = { schema: profileContextSchema };
const idParam = { schema: idSchema };
const read = [errors.notSignedIn, errors.forbidden, errors.notFound] as const;

/** IT looks into older versions of people's profiles. What one of them finds is shown to nobody else. */
@ApiTags('it')
@ItOnly()
@Controller('api/v1/profiles/:username/volumes/:context/versions/:number/lookups')
export class ProfileLookupsController {
  constructor(private readonly looks: ProfileLooks) {}

  @Post()
  @Endpoint({
    summary: 'Looks into an older version of a profile, within seconds: what a folder holds, or a file of up to 32 MiB',
    description: 'Ask for it by its id until it is done. It is forgotten ten minutes later.',
    status: 202,
    answer: 'ProfileLookupBegun',
    errors: [...read, errors.originRefused, errors.invalidRequest, errors.conflict],
  })
  begin(
    @CurrentPrincipal() principal: Principal,
    @Param('username', usernameParam) username: string,
    @Param('context', contextParam) context: string,
    @Param('number', numberParam) number: number,
    @Body({ schema: beginProfileLookupSchema }) wanted: BeginProfileLookup,
  ): Promise<ProfileLookupBegun> {
    return this.looks.begin(username, { context, number }, wanted, principal.username);
  }

  @Get(':id')
  @Endpoint({ summary: 'What has become of a look: the entries of a folder', answer: 'ProfileLookup', errors: read })
  view(
    @CurrentPrincipal() principal: Principal,
    @Param('username', usernameParam) username: string,
    @Param('context', contextParam) context: string,
    @Param('number', numberParam) number: number,
    @Param('id', idParam) id: string,
  ): Promise<ProfileLookupView> {
    return this.looks.view(username, { context, number }, id, principal.username);
  }

  @Get(':id/content')
  @Endpoint({
    summary: 'The file that was found, byte for byte',
    media: ['application/octet-stream'],
    errors: [...read, errors.conflict],
  })
  async content(
    @CurrentPrincipal() principal: Principal,
    @Param('username', usernameParam) username: string,
    @Param('context', contextParam) context: string,
    @Param('number', numberParam) number: number,
    @Param('id', idParam) id: string,
    @Res() response: Response,
  ): Promise<void> {
    sendFile(response, await this.looks.file(username, { context, number }, id, principal.username));
  }
}
