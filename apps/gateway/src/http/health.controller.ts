import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { ChatServices } from '../complete-chat.ts';
import { CHAT_SERVICES, READINESS } from '../tokens.ts';
import { DescribeRoute } from './describe-route.ts';

/** Can this process serve now? */
export interface Readiness {
  /** `serving`: it takes new requests. `redis`: without it only a part of them, which no other gateway could do better. */
  check(): Promise<{ readonly serving: boolean; readonly redis: boolean }>;
}

@Controller()
export class HealthController {
  readonly #readiness: Readiness;
  readonly #services: ChatServices;

  constructor(@Inject(READINESS) readiness: Readiness, @Inject(CHAT_SERVICES) services: ChatServices) {
    this.#readiness = readiness;
    this.#services = services;
  }

  @Get('healthz')
  @DescribeRoute({ summary: 'The process lives', answer: 'Always', open: true })
  healthz(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  @DescribeRoute({ summary: 'The process can serve', answer: 'What it depends on; 503 when it cannot', open: true })
  async readyz(@Res() reply: FastifyReply): Promise<void> {
    const checks = await this.#readiness.check();
    const status = checks.serving ? (checks.redis ? 'ready' : 'degraded') : 'not_ready';
    await reply.status(checks.serving ? 200 : 503).send({ status, checks });
  }

  @Get('metrics')
  @DescribeRoute({ summary: 'Metrics for Prometheus', answer: 'Text', contentType: 'text/plain', open: true })
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    const { registry } = this.#services.metrics;
    await reply.type(registry.contentType).send(await registry.metrics());
  }
}
