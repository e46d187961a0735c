import { formatUsd, type Receipt } from '@tokenhub/core';

/**
 * The SSE comment that tells what a stream cost, invisible to standard clients. Amounts are those of this call, in USD as
 * exact decimal strings; `cost` is the sum of the other two.
 */
export function costComment({ cost, counts, estimated }: Receipt, partial: boolean): string {
  const flags = `${partial ? ',"partial":true' : ''}${estimated ? ',"estimated":true' : ''}`;
  return (
    `: {"cost":"${formatUsd(cost.total)}","input_price":"${formatUsd(cost.input)}","output_price":"${formatUsd(cost.output)}",` +
    `"prompt_tokens":${counts.promptTokens},"completion_tokens":${counts.completionTokens}${flags}}\n\n`
  );
}
