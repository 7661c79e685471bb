import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { presentedToken, publicKey } from '#libs/http';
import { ApiSessionService } from '#libs/identity';
import { DomainError, errors } from '#libs/kernel';
import { itOnlyKey } from './it-only.decorator.js';
import { rememberPrincipal } from './principal.decorator.js';

/** Refuses everybody who is not signed in, on every route that is not marked public. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly apiSessions: ApiSessionService,
  ) {}

  /** @throws DomainError `not-signed-in`, `forbidden` */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(publicKey, targets)) return true;
    const request = context.switchToHttp().getRequest<Request>();
    const token = presentedToken(request);
    const principal = token === undefined ? undefined : await this.apiSessions.authenticate(token);
    if (!principal) throw new DomainError(errors.notSignedIn);
    rememberPrincipal(request, principal);
    const itOnly = this.reflector.getAllAndOverride<boolean | undefined>(itOnlyKey, targets);
    if (itOnly && !principal.isAdmin) throw new DomainError(errors.forbidden);
    return true;
  }
}
