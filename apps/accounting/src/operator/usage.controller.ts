import { Controller, Get, Inject, Query } from '@nestjs/common';
import type { Ledger } from '@tokenhub/metering';
import { z } from 'zod';
import { LEDGER } from '../tokens.ts';
import { parseQuery, time } from './parse-query.ts';
import { toUsageItem } from './to-item.ts';

const GROUPS = ['day', 'model', 'provider', 'key', 'user', 'team', 'org'] as const;

const usageQuery = z.strictObject({
  from: time.optional(),
  to: time.optional(),
  group_by: z.enum(GROUPS, `must be one of ${GROUPS.join(', ')}`).default('day'),
});

@Controller('admin/v1/usage')
export class UsageController {
  readonly #ledger: Ledger;

  constructor(@Inject(LEDGER) ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Sums of requests admitted from `from` on and before `to`. */
  @Get()
  async usage(@Query() query: unknown) {
    const { from, to, group_by: groupBy } = parseQuery(usageQuery, query);
    const groups = await this.#ledger.usage({ from, to, groupBy });
    return { items: groups.map(toUsageItem), next_cursor: null };
  }
}
