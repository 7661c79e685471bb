import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  type ImportProfile,
  idSchema,
  importProfileSchema,
  type ProfileImportView,
  profileContextSchema,
} from '#libs/contracts';
import type { Principal } from '#libs/identity';
import { errors } from '#libs/kernel';
import { ProfileImports } from '#libs/sessions';
import { ItOnly } from '../auth/it-only.decorator.js';
import { CurrentPrincipal } from '../auth/principal.decorator.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { usernameParam } from './username-param.js';

const read = [errors.notSignedIn, errors.forbidden] as const;

@ApiTags('it')
@ItOnly()
@Controller('api/v1/profiles')
export class ProfileImportsController {
  constructor(private readonly imports: ProfileImports) {}

  @Post(':username/volumes/:context/import')
  @Endpoint({
    summary:
      'Makes a version of another store, which was copied into this one, the newest of a profile, within seconds',
    description: 'Where the profile is not known it is made, with the id and key that it had. Watch what is answered.',
    answer: 'ProfileImport',
    status: 202,
    errors: [...read, errors.originRefused, errors.invalidRequest, errors.notFound],
  })
  import(
    @CurrentPrincipal() principal: Principal,
    @Param('username', usernameParam) username: string,
    @Param('context', { schema: profileContextSchema }) context: string,
    @Body({ schema: importProfileSchema }) wanted: ImportProfile,
  ): Promise<ProfileImportView> {
    return this.imports.ask(username, context, wanted, principal.username);
  }

  @Get('imports/:id')
  @Endpoint({ summary: 'What became of an import', answer: 'ProfileImport', errors: [...read, errors.notFound] })
  view(@Param('id', { schema: idSchema }) id: string): Promise<ProfileImportView> {
    return this.imports.view(id);
  }
}
