import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AuditLog } from '#libs/audit';
import { errors } from '#libs/kernel';
import { ItOnly } from '../auth/it-only.decorator.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { type AuditPage, type AuditPageQuery, auditQuerySchema } from './audit-page.js';

@ApiTags('it')
@ItOnly()
@Controller('api/v1/audit')
export class AuditController {
  constructor(private readonly audit: AuditLog) {}

  @Get()
  @Endpoint({
    summary: 'Who did what, newest first',
    answer: 'AuditPage',
    errors: [errors.invalidRequest, errors.notSignedIn, errors.forbidden],
  })
  list(@Query({ schema: auditQuerySchema }) query: AuditPageQuery): Promise<AuditPage> {
    return this.audit.list({ action: query.action, actor: query.actor, before: query.cursor, limit: query.limit });
  }
}
