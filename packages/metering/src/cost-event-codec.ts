import type { CostByKind } from '@tokenhub/core';
import { z } from 'zod';
import { OUTCOMES, type Admission, type CostEvent } from './cost-event.ts';

/** One line of JSON; nano-USD are decimal strings, since a JSON number is a double for most readers. */
export function encodeCostEvent(event: CostEvent): string {
  const costs = event.costsNanoUsd;
  return JSON.stringify({
    ...event,
    costNanoUsd: String(event.costNanoUsd),
    inputCostNanoUsd: String(event.inputCostNanoUsd),
    outputCostNanoUsd: String(event.outputCostNanoUsd),
    costsNanoUsd: {
      input: String(costs.input),
      cached: String(costs.cached),
      cacheWrite: String(costs.cacheWrite),
      output: String(costs.output),
      reasoning: String(costs.reasoning),
    },
    attempts: event.attempts.map((attempt) => ({ ...attempt, costNanoUsd: String(attempt.costNanoUsd) })),
  });
}

/** @throws Error that names the member which is missing or wrong. Members that a later version has added are ignored. */
export function decodeCostEvent(json: string): CostEvent {
  const event = parse(costEventSchema, json);
  const { inputCostNanoUsd: input, outputCostNanoUsd: output } = event;
  const costsNanoUsd = event.costsNanoUsd ?? { input, cached: 0n, cacheWrite: 0n, output, reasoning: 0n };
  return { ...event, costsNanoUsd };
}

/** As {@link decodeCostEvent}, of the admission that a reservation carries. */
export function decodeAdmission(json: string): Admission {
  return parse(admissionSchema, json);
}

function parse<T>(schema: z.ZodType<T>, json: string): T {
  const result = schema.safeParse(JSON.parse(json));
  if (result.success) return result.data;
  throw new Error(result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}

/** Fits a BIGINT column with room for sums. */
const nanoUsd = z
  .string()
  .regex(/^(0|[1-9]\d{0,16})$/)
  .transform(BigInt);
const count = z.int().nonnegative();
const milliseconds = z.number().nonnegative();
const optionalText = z.string().optional();

const admission = {
  requestId: z.string().min(1),
  keyId: z.string(),
  user: optionalText,
  team: optionalText,
  org: z.string(),
  surface: z.enum(['chat', 'chat_completions', 'messages', 'responses', 'embeddings']),
  streamed: z.boolean(),
  requestedModel: optionalText,
  clientRequestId: optionalText,
  admittedAt: count,
};
const admissionSchema: z.ZodType<Admission> = z.object(admission);

/** As it may have been queued by an older release. */
type QueuedCostEvent = Omit<CostEvent, 'costsNanoUsd'> & { readonly costsNanoUsd?: CostByKind | undefined };

const costEventSchema: z.ZodType<QueuedCostEvent> = z.object({
  ...admission,
  outcome: z.enum(OUTCOMES),
  model: optionalText,
  provider: optionalText,
  deployment: optionalText,
  reason: optionalText,
  counts: z.object({
    promptTokens: count,
    completionTokens: count,
    cachedTokens: count,
    cacheWriteTokens: count,
    cacheWrite1hTokens: count.optional(),
    reasoningTokens: count,
  }),
  costNanoUsd: nanoUsd,
  inputCostNanoUsd: nanoUsd,
  outputCostNanoUsd: nanoUsd,
  costsNanoUsd: z
    .object({ input: nanoUsd, cached: nanoUsd, cacheWrite: nanoUsd, output: nanoUsd, reasoning: nanoUsd })
    .optional(),
  estimated: z.boolean(),
  errorReason: optionalText,
  priceVersion: optionalText,
  firstTokenMs: milliseconds.optional(),
  durationMs: milliseconds,
  attempts: z.array(
    z.object({
      deployment: z.string(),
      provider: z.string(),
      model: z.string(),
      outcome: z.string(),
      status: z.int().optional(),
      costNanoUsd: nanoUsd,
    }),
  ),
});
