export { ApiSession } from './api-session.entity.js';
export { ApiSessionService, type RequestOrigin } from './api-session-service.js';
export { IdentityModule } from './identity.module.js';
export { type AttemptLimit, DIRECTORY, type IdentityOptions } from './identity-options.js';
export type { Principal } from './principal.js';
export { SignInAttempt } from './sign-in-attempt.entity.js';
export { type SignIn, SignInService } from './sign-in-service.js';
