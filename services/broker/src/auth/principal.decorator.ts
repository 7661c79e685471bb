import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { Principal } from '#libs/identity';
import { DomainError, errors } from '#libs/kernel';

/** Who makes each request, as the guard found out. */
const principals = new WeakMap<Request, Principal>();

export const rememberPrincipal = (request: Request, principal: Principal): void => {
  principals.set(request, principal);
};

/** Injects the signed-in principal into a handler. */
export const CurrentPrincipal = createParamDecorator((_data: unknown, context: ExecutionContext): Principal => {
  const principal = principals.get(context.switchToHttp().getRequest<Request>());
  // Cannot happen behind the guard; a public handler that asks for a principal is refused rather than given undefined.
  if (!principal) throw new DomainError(errors.notSignedIn);
  return principal;
});
