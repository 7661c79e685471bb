import { SetMetadata } from '@nestjs/common';

export const publicKey = 'goldleaf:public';

/** Marks a controller or handler that needs no sign-in. Everything else is refused to strangers. */
export const Public = (): ClassDecorator & MethodDecorator => SetMetadata(publicKey, true);
