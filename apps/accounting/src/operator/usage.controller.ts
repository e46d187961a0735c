import { Controller, Get, Headers, Inject, Query, Res } from '@nestjs/common';
import type { Ledger } from '@tokenhub/metering';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { LEDGER } from '../tokens.ts';
import { parseQuery, time } from './parse-query.ts';
import { toUsageItem } from './to-item.ts';
import { toUsageCsv } from './usage-csv.ts';

const GROUPS = ['day', 'model', 'provider', 'key', 'user', 'team', 'org'] as const;

const usageQuery = z.strictObject({
  from: time.optional(),
  to: time.optional(),
  group_by: z.enum(GROUPS, `must be one of ${GROUPS.join(', ')}`).default('day'),
  format: z.enum(['json', 'csv'], 'must be json or csv').optional(),
});

@Controller('admin/v1/usage')
export class UsageController {
  readonly #ledger: Ledger;

  constructor(@Inject(LEDGER) ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Sums of requests admitted from `from` on and before `to`, as JSON or, where `format` or `Accept` says so, as CSV. */
  @Get()
  async usage(
    @Query() query: unknown,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { from, to, group_by: groupBy, format = preferredFormat(accept) } = parseQuery(usageQuery, query);
    const groups = await this.#ledger.usage({ from, to, groupBy });
    reply.header('Vary', 'Accept');
    if (format === 'json') return { items: groups.map(toUsageItem), next_cursor: null };
    reply.header('Content-Type', 'text/csv; charset=utf-8');
    reply.header('Content-Disposition', `attachment; filename="usage-by-${groupBy}.csv"`);
    return toUsageCsv(groups);
  }
}

/** CSV is for who names it and not JSON. */
function preferredFormat(accept = ''): 'json' | 'csv' {
  const types = accept.split(',').map((range) => range.split(';')[0]?.trim().toLowerCase());
  return types.includes('text/csv') && !types.includes('application/json') ? 'csv' : 'json';
}
