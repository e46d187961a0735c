import { isJsonObject, type JsonObject } from '../../chat/json.ts';
import type { ReportedUsage } from '../../chat/usage.ts';
import { formatUsd } from '../../cost/format-usd.ts';
import type { Receipt } from '../../cost/receipt.ts';

/** The usage of an answer; `undefined` when it reports none. Embeddings have no output in tokens. */
export function readUsage({ usage }: JsonObject): ReportedUsage | undefined {
  if (!isJsonObject(usage)) return undefined;
  const promptTokens = [usage['prompt_tokens'], usage['total_tokens']].find((count) => typeof count === 'number');
  return promptTokens === undefined ? undefined : { promptTokens, completionTokens: 0 };
}

/** OpenAI's usage object with our own counts and cost, as JSON text. */
export function writeUsage({ counts: { promptTokens }, cost }: Receipt): string {
  return `{"prompt_tokens":${promptTokens},"total_tokens":${promptTokens},"cost":${formatUsd(cost.total)}}`;
}
