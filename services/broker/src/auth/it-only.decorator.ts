import { SetMetadata } from '@nestjs/common';

export const itOnlyKey = 'goldleaf:it-only';

/** Marks a controller or handler that only members of the admin role may use. */
export const ItOnly = (): ClassDecorator & MethodDecorator => SetMetadata(itOnlyKey, true);
