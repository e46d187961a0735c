import { plainCost } from '../../../cost/__fixtures__/plain-cost.ts';
import type { Receipt } from '../../../cost/receipt.ts';
import type { ReportedUsage } from '../../../chat/usage.ts';
import type { Meter } from '../../dialect.ts';
import type { Quirks } from '../../quirks.ts';
import { createMeter } from '../meter.ts';

export const RECEIPT: Receipt = {
  counts: { promptTokens: 15, completionTokens: 42, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
  cost: plainCost(234n, 1_000n),
  estimated: false,
};

export const encoder = new TextEncoder();
export const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export interface MeterSettings {
  readonly includeUsage?: boolean;
  readonly choices?: number;
  readonly prices?: unknown[][];
  readonly quirks?: Quirks;
}

export function meterFor({ includeUsage = false, choices = 1, prices = [], quirks }: MeterSettings = {}): Meter {
  const price = (usage: ReportedUsage | undefined, counted: number): Receipt => {
    prices.push([usage?.completionTokens, counted]);
    return RECEIPT;
  };
  return createMeter({ includeUsage, choices, price, quirks });
}

/** What goes out for an event: its text, or the verdict when it is none of the event's own. */
export function send(meter: Meter, event: string): string {
  const bytes = encoder.encode(event);
  const verdict = meter.read(bytes, 0, bytes.length);
  if (verdict === 'rewrite') return decoder.decode(meter.rewritten);
  return verdict === 'pass' ? event : verdict;
}

export function content(text: string, rest = ''): string {
  return `data: {"id":"c","choices":[{"index":0,"delta":{"content":${JSON.stringify(text)}},"finish_reason":null}]${rest}}\n\n`;
}

export function finish(index = 0, rest = ''): string {
  return `data: {"id":"c","choices":[{"index":${index},"delta":{},"finish_reason":"stop"}]${rest}}\n\n`;
}
