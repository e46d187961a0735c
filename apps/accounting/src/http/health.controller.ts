import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { AccountingMetrics } from '../metrics.ts';
import { METRICS, READINESS } from '../tokens.ts';

/** Does everything answer that this process depends on? */
export interface Readiness {
  check(): Promise<Readonly<Record<string, boolean>>>;
}

@Controller()
export class HealthController {
  readonly #readiness: Readiness;
  readonly #metrics: AccountingMetrics;

  constructor(@Inject(READINESS) readiness: Readiness, @Inject(METRICS) metrics: AccountingMetrics) {
    this.#readiness = readiness;
    this.#metrics = metrics;
  }

  /** The process lives. */
  @Get('healthz')
  healthz(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** The process can do its work. */
  @Get('readyz')
  async readyz(@Res() reply: FastifyReply): Promise<void> {
    const checks = await this.#readiness.check();
    const ready = Object.values(checks).every(Boolean);
    await reply.status(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not_ready', checks });
  }

  @Get('metrics')
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    const { registry } = this.#metrics;
    await reply.type(registry.contentType).send(await registry.metrics());
  }
}
