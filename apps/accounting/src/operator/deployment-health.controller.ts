import { Controller, Get, Inject } from '@nestjs/common';
import type { HealthBoard } from '@tokenhub/cluster';
import { GatewayError } from '@tokenhub/core';
import { HEALTH_BOARD } from '../tokens.ts';
import { toHealthItems } from './to-health-item.ts';

@Controller('admin/v1/health')
export class DeploymentHealthController {
  readonly #board: HealthBoard;

  constructor(@Inject(HEALTH_BOARD) board: HealthBoard) {
    this.#board = board;
  }

  /** How the gateways that run now find their deployments, a few seconds ago at most. */
  @Get()
  async list() {
    const reports = await this.#board.read().catch((cause: unknown) => {
      const message = 'The store of the health reports did not answer in time. Try again.';
      throw new GatewayError('quota_unavailable', message, { cause, retryAfterMs: 1000 });
    });
    return { items: toHealthItems(reports), gateways: reports.length, next_cursor: null };
  }
}
