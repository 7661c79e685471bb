import { Controller, Get, HttpStatus, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Metrics } from '#libs/telemetry';
import { Public } from './public.decorator.js';
import { ReadinessChecks, type ReadinessReport } from './readiness-checks.js';

/** What supervisors, load balancers and Prometheus ask. */
@ApiTags('operations')
@Public()
@Controller()
export class HealthController {
  constructor(
    private readonly readiness: ReadinessChecks,
    private readonly metrics: Metrics,
  ) {}

  @Get('healthz')
  @ApiOperation({ summary: 'Liveness: the process answers' })
  @ApiResponse({ status: 200, description: 'Alive' })
  healthz(): { status: 'alive' } {
    return { status: 'alive' };
  }

  @Get('readyz')
  @ApiOperation({ summary: 'Readiness: every part that a logon needs answers' })
  @ApiResponse({ status: 200, description: 'Ready' })
  @ApiResponse({ status: 503, description: 'Not ready; `checks` says which part is down' })
  async readyz(@Res({ passthrough: true }) response: Response): Promise<ReadinessReport> {
    const report = await this.readiness.report();
    response.status(report.status === 'ready' ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE);
    response.setHeader('cache-control', 'no-store');
    return report;
  }

  @Get('metrics')
  @ApiOperation({ summary: 'Prometheus metrics (`goldleaf_*`)' })
  @ApiProduces('text/plain')
  @ApiResponse({ status: 200, description: 'Metrics in the text format of Prometheus' })
  async scrape(@Res() response: Response): Promise<void> {
    const text = await this.metrics.registry.metrics();
    response.setHeader('content-type', this.metrics.registry.contentType);
    response.send(text);
  }
}
