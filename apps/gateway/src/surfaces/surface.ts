import type { CompleteAnswer, Dialect, Receipt } from '@tokenhub/core';
import type { CostEvent } from '@tokenhub/metering';

/** What callers speak on one route: how good answers look and end, and which dialect errors are written in. */
export interface Surface {
  readonly name: CostEvent['surface'];
  /** The dialect of answers; `native` leaves the provider's own. */
  readonly answerDialect: Dialect | 'native';
  /** The dialect of error answers and of the error event that ends a broken stream. */
  readonly errorDialect: Dialect;
  /** Further headers of a stream in this dialect, names and values in turn. */
  streamHeaders(dialect: Dialect): readonly string[];
  /** The sign of life of a silent stream, blank line included; may come before anything else. */
  readonly keepAlive: string;
  /** The last bytes of a good stream, in one write: the dialect's own end and what this surface adds. */
  endStream(dialectEnd: string, dialect: Dialect, receipt: Receipt): string;
  /** What follows the error event of a stream that broke off. */
  endBrokenStream(receipt: Receipt): string;
  /** The body of an answer that is not streamed. */
  writeAnswer(answer: CompleteAnswer, decision: Decision): string;
}

/** How an answer came about. */
export interface Decision {
  readonly requestId: string;
  readonly reason: string;
  readonly attempts: readonly AttemptSummary[];
}

/** One try, as callers may see it. */
export interface AttemptSummary {
  readonly deployment: string;
  readonly provider: string;
  readonly model: string;
  /** `served`, or the slug of the error that ended it. */
  readonly outcome: string;
  readonly status?: number | undefined;
}
