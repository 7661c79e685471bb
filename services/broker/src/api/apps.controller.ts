import { Body, Controller, Delete, Get, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { AppCatalogue, AppRegistration } from '#libs/apps';
import {
  type AppView,
  type AssignApp,
  assignAppSchema,
  nameSchema,
  type RegisterAppVersion,
  registerAppVersionSchema,
  type UpdateAppVersion,
  updateAppVersionSchema,
} from '#libs/contracts';
import type { Principal } from '#libs/identity';
import { errors } from '#libs/kernel';
import { SessionApps } from '#libs/sessions';
import { ItOnly } from '../auth/it-only.decorator.js';
import { CurrentPrincipal } from '../auth/principal.decorator.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { numberParam } from './number-param.js';

const read = [errors.notSignedIn, errors.forbidden] as const;
const change = [...read, errors.invalidRequest, errors.originRefused, errors.notFound] as const;
const nameParam = { schema: nameSchema };
/** Groups of a directory are named as people like; PostgreSQL has no text with NUL in it. */
const roleParam = {
  schema: z
    .string()
    .max(256)
    .regex(/^[^\0]+$/),
};
const nowSchema = z.strictObject({ now: z.enum(['true', 'false']).default('false') });
type NowQuery = z.infer<typeof nowSchema>;

/** How long a browser shows a picture without asking again. Seconds. */
const ICON_FRESH_S = 300;

/** Published applications: who gets which version. */
@ApiTags('apps')
@Controller('api/v1/apps')
export class AppsController {
  constructor(
    private readonly catalogue: AppCatalogue,
    private readonly registration: AppRegistration,
    private readonly sessionApps: SessionApps,
  ) {}

  @Get()
  @ItOnly()
  @Endpoint({
    summary: 'All applications with their versions, assignments and counts, by display name',
    answer: 'App',
    list: true,
    errors: read,
  })
  list(): Promise<AppView[]> {
    return this.catalogue.list();
  }

  @Get(':name')
  @ItOnly()
  @Endpoint({ summary: 'One application', answer: 'App', errors: [...read, errors.notFound] })
  one(@Param('name', nameParam) name: string): Promise<AppView> {
    return this.catalogue.view(name);
  }

  @Post(':name/versions')
  @ItOnly()
  @Endpoint({
    summary: 'Registers a signed layer as the newest version; the first makes the application',
    description:
      'Refused unless a trusted key signed it. The same volume again is the same version: its ring and state stay, ' +
      'its document is replaced.',
    status: 201,
    answer: 'App',
    errors: [...read, errors.invalidRequest, errors.originRefused, errors.layerUntrusted],
  })
  register(
    @CurrentPrincipal() principal: Principal,
    @Param('name', nameParam) name: string,
    @Body({ schema: registerAppVersionSchema }) body: RegisterAppVersion,
  ): Promise<AppView> {
    return this.registration.register(name, body, principal.username);
  }

  @Patch(':name/versions/:number')
  @ItOnly()
  @Endpoint({
    summary: 'Moves a version to another ring, withdraws it or publishes it again',
    description: 'Counts from the next logon of each person on; desktops that have a withdrawn version keep it.',
    answer: 'App',
    errors: change,
  })
  update(
    @CurrentPrincipal() principal: Principal,
    @Param('name', nameParam) name: string,
    @Param('number', numberParam) number: number,
    @Body({ schema: updateAppVersionSchema }) body: UpdateAppVersion,
  ): Promise<AppView> {
    return this.catalogue.updateVersion(name, number, body, principal.username);
  }

  @Put(':name/assignments/:role')
  @ItOnly()
  @Endpoint({
    summary: 'Gives an application to the people of a role, or allows them to pin it',
    description:
      'In place of what was said of the two before. Counts from the next logon of each person on, and with `now`, in ' +
      'the body or the query, also for those who are in a session.',
    answer: 'App',
    errors: change,
  })
  assign(
    @CurrentPrincipal() principal: Principal,
    @Param('name', nameParam) name: string,
    @Param('role', roleParam) role: string,
    @Query({ schema: nowSchema }) { now }: NowQuery,
    @Body({ schema: assignAppSchema }) body: AssignApp,
  ): Promise<AppView> {
    const assignment = { ...body, now: body.now || now === 'true' };
    return this.sessionApps.assign(name, role, assignment, principal.username);
  }

  @Delete(':name/assignments/:role')
  @ItOnly()
  @Endpoint({
    summary: 'Takes an application from a role; one that it does not have is no error',
    description:
      'Counts from the next logon of each person on, and with `now` also for those who are in a session: there the ' +
      'application ends.',
    answer: 'App',
    errors: change,
  })
  withdraw(
    @CurrentPrincipal() principal: Principal,
    @Param('name', nameParam) name: string,
    @Param('role', roleParam) role: string,
    @Query({ schema: nowSchema }) { now }: NowQuery,
  ): Promise<AppView> {
    return this.sessionApps.withdraw(name, role, now === 'true', principal.username);
  }

  @Get(':name/icon')
  @Endpoint({
    summary: 'The picture of an application, for IT and for people who may use it',
    media: ['image/png', 'image/svg+xml'],
    errors: [errors.notSignedIn, errors.notFound],
  })
  async icon(
    @CurrentPrincipal() principal: Principal,
    @Param('name', nameParam) name: string,
    @Res() response: Response,
  ): Promise<void> {
    const icon = await this.catalogue.icon(name, principal.isAdmin ? undefined : principal.roles);
    response
      .type(icon.mediaType)
      .set({
        'cache-control': `private, max-age=${ICON_FRESH_S}`,
        vary: 'Cookie, Authorization',
        // Opened by itself, an SVG is a document: it may do nothing.
        'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        'x-content-type-options': 'nosniff',
      })
      .send(icon.bytes);
  }
}
