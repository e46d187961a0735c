import { Controller, Get, Inject } from '@nestjs/common';
import type { Ledger } from '@tokenhub/metering';
import type { Reconciler } from '../reconcile/reconcile.ts';
import { LEDGER, RECONCILER } from '../tokens.ts';
import { toReconcileItems, toRepairItem } from './to-reconcile-item.ts';

/** Repairs are shown so long after they were made. */
const SHOW_REPAIRS_MS = 24 * 3600 * 1000;
const MOST_REPAIRS = 100;

@Controller('admin/v1/reconcile')
export class ReconcileController {
  readonly #reconciler: Reconciler;
  readonly #ledger: Ledger;

  constructor(@Inject(RECONCILER) reconciler: Reconciler, @Inject(LEDGER) ledger: Ledger) {
    this.#reconciler = reconciler;
    this.#ledger = ledger;
  }

  /** Compares store and ledger now. `ok`: they agree; what was put right in the last day is listed all the same. */
  @Get()
  async reconcile() {
    const report = await this.#reconciler.look();
    const differences = toReconcileItems(report);
    const since = Date.now() - SHOW_REPAIRS_MS;
    const repairs = await this.#ledger.repairs({ since, limit: MOST_REPAIRS });
    return {
      ok: differences.length === 0,
      live: report.live,
      outbox: report.outbox,
      dead_letters: report.deadLetters.count,
      items: [...differences, ...repairs.map(toRepairItem)],
    };
  }
}
