import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import type { CorrectionDesk } from './correction-desk.ts';
import { CORRECTION_DESK } from '../tokens.ts';
import { parseCorrection } from './parse-correction.ts';
import { toLedgerItem } from './to-item.ts';

@Controller('admin/v1/ledger')
export class CorrectionsController {
  readonly #desk: CorrectionDesk;

  constructor(@Inject(CORRECTION_DESK) desk: CorrectionDesk) {
    this.#desk = desk;
  }

  /** Gives money back, or charges what a wrong price has left out: a new row, the old ones stay. */
  @Post(':requestId/corrections')
  @HttpCode(202)
  async correct(@Param('requestId') requestId: string, @Body() body: unknown) {
    return toLedgerItem(await this.#desk.correct(requestId, parseCorrection(body)));
  }
}
