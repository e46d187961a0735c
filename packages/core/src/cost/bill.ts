import type { ReportedUsage } from '../chat/usage.ts';
import type { ModelKind } from '../router/candidate.ts';
import type { Price } from './price.ts';
import { createReceipt, type Receipt } from './receipt.ts';

/** Makes the bill of one request, for whichever model served it and by whatever is known of its use at that moment. */
export type Bill = (model: BilledModel, use: Use) => Receipt;

/** What of a model its bill depends on. */
export interface BilledModel {
  readonly price: Price;
  readonly kind?: ModelKind | undefined;
  readonly contextWindow?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
}

/** What is known of a request's use when its bill is made. */
export interface Use {
  /** As the provider reported it; `undefined` when it reported none. */
  readonly usage: ReportedUsage | undefined;
  /** Our own count of output tokens. */
  readonly countedTokens: number;
  /** False when the answer was cut short by anyone. */
  readonly complete: boolean;
}

/** The {@link Bill} of a request with this likely input, in tokens, that asks for so many choices. */
export function createBill(likelyInputTokens: number, choices: number): Bill {
  return ({ price, kind, contextWindow, maxOutputTokens }, use) => {
    const evidence = { ...use, estimatedInputTokens: likelyInputTokens, maxOutputTokens, choices };
    // Of embeddings each input has the window for itself, so it says nothing of their sum.
    return createReceipt(kind === 'embedding' ? evidence : { ...evidence, contextWindow }, price);
  };
}
