import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { ProfileView } from '#libs/contracts';
import { errors } from '#libs/kernel';
import { ProfileService } from '#libs/profiles';
import { ItOnly } from '../auth/it-only.decorator.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';

const profileQuerySchema = z.strictObject({
  username: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[^\0]+$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
});

@ApiTags('it')
@ItOnly()
@Controller('api/v1/profiles')
export class ProfilesController {
  constructor(private readonly profiles: ProfileService) {}

  @Get()
  @Endpoint({
    summary: 'Roaming profiles: roles and applications of people at their last logon, latest first',
    answer: 'Profile',
    list: true,
    errors: [errors.invalidRequest, errors.notSignedIn, errors.forbidden],
  })
  list(@Query({ schema: profileQuerySchema }) query: z.infer<typeof profileQuerySchema>): Promise<ProfileView[]> {
    return this.profiles.list(query);
  }
}
