import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import { formatCosts, formatUsd, GatewayError } from '@tokenhub/core';
import type { EntryKind, Ledger, LedgerEntry } from '@tokenhub/metering';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../../http/caller.ts';
import { LEDGER } from '../../tokens.ts';
import { DescribeRoute } from '../../http/describe-route.ts';

@Controller('v1/generations')
export class GenerationsController {
  readonly #ledger: Pick<Ledger, 'find'>;

  constructor(@Inject(LEDGER) ledger: Pick<Ledger, 'find'>) {
    this.#ledger = ledger;
  }

  @Get(':id')
  @DescribeRoute({
    summary: 'How a request ended and what it cost',
    answer: 'Its outcome, tokens, cost and attempts',
    params: { id: 'X-Request-Id of the answer' },
    notFound: 'No such request has ended, or its end is not written down yet',
  })
  async find(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const key = callerOf(request);
    const entries = await this.#ledger.find(id);
    const of = (wanted: EntryKind) => entries.find(({ kind }) => kind === wanted);
    // Where a lease had expired, its gateway has stated the truth afterwards.
    const entry = of('A') ?? of('T');
    // Another organisation's request looks like one that does not exist.
    if (entry === undefined || entry.event.org !== key.org) {
      const message = `There is no finished request "${id}". A request appears here within 2 s after its end.`;
      throw new GatewayError('not_found', message, { param: 'id' });
    }
    await reply.type('application/json').send(JSON.stringify(toGeneration(entry, of('R')?.deltaNanoUsd ?? 0n)));
  }
}

/** `costs` and `adjustments_usd`, what an operator has given back or charged since, add up to `cost_usd`. */
function toGeneration({ event, createdAt }: LedgerEntry, adjustmentsNanoUsd: bigint): Record<string, unknown> {
  return {
    id: event.requestId,
    outcome: event.outcome,
    model: event.model ?? null,
    provider: event.provider ?? null,
    reason: event.reason ?? null,
    prompt_tokens: event.counts.promptTokens,
    cached_tokens: event.counts.cachedTokens,
    cache_write_tokens: event.counts.cacheWriteTokens,
    completion_tokens: event.counts.completionTokens,
    reasoning_tokens: event.counts.reasoningTokens,
    cost_usd: formatUsd(event.costNanoUsd + adjustmentsNanoUsd),
    input_cost_usd: formatUsd(event.inputCostNanoUsd),
    output_cost_usd: formatUsd(event.outputCostNanoUsd),
    costs: formatCosts(event.costsNanoUsd),
    adjustments_usd: formatUsd(adjustmentsNanoUsd),
    estimated: event.estimated,
    attempts: event.attempts.map(({ costNanoUsd, status = null, ...attempt }) => ({
      ...attempt,
      status,
      cost_usd: formatUsd(costNanoUsd),
    })),
    first_token_ms: event.firstTokenMs ?? null,
    duration_ms: event.durationMs,
    admitted_at: new Date(event.admittedAt).toISOString(),
    created_at: new Date(createdAt).toISOString(),
  };
}
