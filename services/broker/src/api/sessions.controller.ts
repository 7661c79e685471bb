import { Body, Controller, Delete, Get, Headers, Inject, Param, Post, Put, Query, Req } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';
import {
  type CreateSession,
  createSessionSchema,
  type DisplaySize,
  displaySizeSchema,
  idSchema,
  nameSchema,
  profileOutcomeSchema,
  type SessionView,
  type TicketView,
} from '#libs/contracts';
import { TicketStore } from '#libs/guacamole';
import { InvalidRequestError, OriginPolicy } from '#libs/http';
import type { Principal } from '#libs/identity';
import { errors } from '#libs/kernel';
import { AppStarts, SessionQueries, SessionService } from '#libs/sessions';
import { CurrentPrincipal } from '../auth/principal.decorator.js';
import { BROKER_OPTIONS, type BrokerOptions } from '../broker-options.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';

const read = [errors.notSignedIn, errors.notFound] as const;
const change = [...read, errors.originRefused] as const;
const idParam = { schema: idSchema };
const idempotencyKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/)
  .optional();

const logOffQuerySchema = z.strictObject({ profile: profileOutcomeSchema.optional() });

/** A person's own sessions; those of others do not exist for them. */
@ApiTags('sessions')
@Controller('api/v1/sessions')
export class SessionsController {
  constructor(
    private readonly sessions: SessionService,
    private readonly queries: SessionQueries,
    private readonly starts: AppStarts,
    private readonly tickets: TicketStore,
    private readonly origins: OriginPolicy,
    @Inject(BROKER_OPTIONS) private readonly options: BrokerOptions,
  ) {}

  @Post()
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'The same key again gives the same session' })
  @Endpoint({
    summary: 'Asks for a desktop of a pool; the same user and pool again gives the live session',
    description: 'With `app`, that application is started as soon as the desktop has it, if the person is given it.',
    status: 202,
    answer: 'Session',
    errors: [...change, errors.invalidRequest, errors.idempotencyKeyReused],
  })
  open(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: createSessionSchema }) body: CreateSession,
    @Headers('idempotency-key') givenKey: string | undefined,
  ): Promise<SessionView> {
    const idempotencyKey = idempotencyKeySchema.safeParse(givenKey);
    if (!idempotencyKey.success) {
      throw new InvalidRequestError([{ path: 'Idempotency-Key', message: 'use 1 to 200 printable ASCII characters' }]);
    }
    return this.sessions.open(principal, { ...body, idempotencyKey: idempotencyKey.data });
  }

  @Get()
  @Endpoint({
    summary: 'The own live sessions, newest first',
    answer: 'Session',
    list: true,
    errors: [errors.notSignedIn],
  })
  list(@CurrentPrincipal() principal: Principal): Promise<SessionView[]> {
    return this.queries.listLive(principal.username);
  }

  @Get(':id')
  @Endpoint({ summary: 'One own session', answer: 'Session', errors: read })
  one(@CurrentPrincipal() principal: Principal, @Param('id', idParam) id: string): Promise<SessionView> {
    return this.queries.view(principal.username, id);
  }

  @Post(':id/tickets')
  @Endpoint({
    summary: 'A ticket for the tunnel: one use, 30 seconds, for this user, session and web page',
    status: 201,
    answer: 'Ticket',
    errors: [...change, errors.conflict],
  })
  async ticket(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idParam) id: string,
    @Req() request: Request,
  ): Promise<TicketView> {
    const claims = await this.sessions.ticketClaims(principal, id);
    const minted = await this.tickets.mint({
      ...claims,
      tokenHash: principal.tokenHash,
      origin: this.origins.originOf(request),
    });
    return { ticket: minted.ticket, tunnelUrl: this.options.tunnelUrl, expiresAt: minted.expiresAt.toISOString() };
  }

  @Post(':id/recycle')
  @Endpoint({
    summary: 'Restarts clean: destroys the desktop with all that was written on it and gives a clean one',
    status: 202,
    answer: 'Session',
    errors: [...change, errors.conflict],
  })
  recycle(@CurrentPrincipal() principal: Principal, @Param('id', idParam) id: string): Promise<SessionView> {
    return this.sessions.recycle(principal, id);
  }

  @Post(':id/apps/:name/start')
  @Endpoint({
    summary: 'Starts an application in the desktop, as soon as the desktop has it; one that failed is tried again',
    status: 202,
    answer: 'Session',
    errors: [...change, errors.conflict],
  })
  startApp(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idParam) id: string,
    @Param('name', { schema: nameSchema }) name: string,
  ): Promise<SessionView> {
    return this.starts.start(principal.username, id, name);
  }

  @Put(':id/display')
  @Endpoint({
    summary: "Tells the size of the person's window; the desktop draws at it soon after",
    status: 202,
    errors: [...change, errors.invalidRequest, errors.conflict],
  })
  async resizeDisplay(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idParam) id: string,
    @Body({ schema: displaySizeSchema }) size: DisplaySize,
  ): Promise<void> {
    await this.sessions.resizeDisplay(principal, id, size);
  }

  @Delete(':id')
  @Endpoint({
    summary: 'Logs off: the session and its desktop end',
    description:
      'With `profile=erase` nothing that the session wrote to the profile is kept, where the pool asks at log-off; ' +
      'without, all is. A choice that the pool does not leave is `forbidden`, and the session goes on.',
    status: 202,
    answer: 'Session',
    errors: [...change, errors.invalidRequest, errors.forbidden],
  })
  logOff(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idParam) id: string,
    @Query({ schema: logOffQuerySchema }) { profile }: z.infer<typeof logOffQuerySchema>,
  ): Promise<SessionView> {
    return this.sessions.logOff(principal, id, profile);
  }
}
