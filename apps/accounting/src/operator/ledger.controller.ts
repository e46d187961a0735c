import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { GatewayError } from '@tokenhub/core';
import { OUTCOMES, type Ledger } from '@tokenhub/metering';
import { z } from 'zod';
import { LEDGER } from '../tokens.ts';
import { limit, name, parseQuery } from './parse-query.ts';
import { toLedgerItem } from './to-item.ts';

const listQuery = z.strictObject({
  cursor: name.optional(),
  limit,
  key: name.optional(),
  model: name.optional(),
  outcome: z.enum(OUTCOMES, `must be one of ${OUTCOMES.join(', ')}`).optional(),
});

@Controller('admin/v1/ledger')
export class LedgerController {
  readonly #ledger: Ledger;

  constructor(@Inject(LEDGER) ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Rows, newest first. */
  @Get()
  async list(@Query() query: unknown) {
    const { entries, nextCursor } = await this.#ledger.list(parseQuery(listQuery, query));
    return { items: entries.map(toLedgerItem), next_cursor: nextCursor ?? null };
  }

  /** One request: how it ended, and what was corrected since. */
  @Get(':requestId')
  async find(@Param('requestId') requestId: string) {
    const [terminal, ...corrections] = await this.#ledger.find(requestId);
    if (terminal?.kind !== 'T') throw new GatewayError('not_found', 'The ledger has no request of this id.');
    return { ...toLedgerItem(terminal), corrections: corrections.map(toLedgerItem) };
  }
}
