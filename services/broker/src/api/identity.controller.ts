import { Body, Controller, Get, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import {
  type LoginRequest,
  type LoginResponse,
  loginRequestSchema,
  type PoolSummary,
  type UserView,
} from '#libs/contracts';
import { PoolService } from '#libs/desktops';
import { OriginPolicy, Public, presentedToken } from '#libs/http';
import { ApiSessionService, type Principal, type RequestOrigin, SignInService } from '#libs/identity';
import { errors } from '#libs/kernel';
import { currentCorrelationId } from '#libs/telemetry';
import { CurrentPrincipal } from '../auth/principal.decorator.js';
import { clearSessionCookie, setSessionCookie } from '../auth/session-cookie.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';

const userView = ({ username, displayName, roles, isAdmin }: Principal): UserView => ({
  username,
  displayName,
  roles: [...roles],
  isAdmin,
});

const originOf = (request: Request): RequestOrigin => ({
  sourceAddress: request.ip,
  correlationId: currentCorrelationId(),
});

@ApiTags('sign-in')
@Controller('api/v1')
export class IdentityController {
  constructor(
    private readonly signIns: SignInService,
    private readonly apiSessions: ApiSessionService,
    private readonly pools: PoolService,
    private readonly origins: OriginPolicy,
  ) {}

  @Post('login')
  @Public()
  @Endpoint({
    summary: 'Signs in: a token for programs and an HttpOnly cookie for browsers',
    answer: 'LoginResponse',
    errors: [
      errors.invalidRequest,
      errors.invalidCredentials,
      errors.originRefused,
      errors.tooManyAttempts,
      errors.directoryUnavailable,
    ],
  })
  async login(
    @Body({ schema: loginRequestSchema }) credentials: LoginRequest,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<LoginResponse> {
    const { principal, token } = await this.signIns.signIn({ ...credentials, ...originOf(request) });
    setSessionCookie(response, this.origins, token);
    return { user: userView(principal), token };
  }

  @Post('logout')
  @Public()
  @Endpoint({
    summary: 'Signs out; desktops keep running. Signing out twice is no error',
    status: 204,
    errors: [errors.originRefused],
  })
  async logout(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<void> {
    const token = presentedToken(request);
    clearSessionCookie(response, this.origins);
    if (token !== undefined) await this.apiSessions.revoke(token, originOf(request));
  }

  @Get('me')
  @Endpoint({ summary: 'Who is signed in', answer: 'User', errors: [errors.notSignedIn] })
  me(@CurrentPrincipal() principal: Principal): UserView {
    return userView(principal);
  }

  @Get('me/pools')
  @Endpoint({
    summary: 'The pools that the person may use',
    answer: 'PoolSummary',
    list: true,
    errors: [errors.notSignedIn],
  })
  myPools(@CurrentPrincipal() principal: Principal): Promise<PoolSummary[]> {
    return this.pools.summariesFor(principal.roles);
  }
}
