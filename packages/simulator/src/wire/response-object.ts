import type { Answer, Ask, Usage } from '../answer.ts';
import { toLogprobs, type Logprob } from '../logprobs.ts';
import { CREATED, isObject } from './wire.ts';

/** One item of a response's `output`, complete, and what its pieces are. */
export type OutputItem =
  | { readonly kind: 'reasoning'; readonly id: string; readonly whole: JsonObject; readonly summary: readonly string[] }
  | {
      readonly kind: 'message';
      readonly id: string;
      readonly whole: JsonObject;
      readonly part: JsonObject;
      readonly text: readonly string[];
    }
  | { readonly kind: 'call'; readonly id: string; readonly whole: JsonObject; readonly fragments: readonly string[] };

export type JsonObject = Readonly<Record<string, unknown>>;

const ENCRYPTED = 'gAAAAAsimulated';

/** The items of a response in their order. Reasoning is told only as far as the request wants it: as a summary, encrypted or not at all. */
export function toOutputItems(answer: Answer, ask: Ask): OutputItem[] {
  const { id, reasoning, text, calls } = answer;
  const items: OutputItem[] = [];
  if (reasoning.length > 0) items.push(toReasoning(answer, ask));
  const status = (isLast: boolean): string => (isLast && answer.finish === 'length' ? 'incomplete' : 'completed');
  if (text.length > 0) {
    const part = { type: 'output_text', annotations: [], logprobs: toTextLogprobs(text, ask), text: text.join('') };
    const facts = { id: `msg_sim${id}`, type: 'message', status: status(calls.length === 0) };
    items.push({ kind: 'message', id: facts.id, whole: { ...facts, content: [part], role: 'assistant' }, part, text });
  }
  for (const [index, call] of calls.entries()) {
    const facts = { id: `fc_sim${call.id}`, type: 'function_call', status: status(index === calls.length - 1) };
    const said = { arguments: call.fragments.join(''), call_id: `call_sim${call.id}`, name: call.name };
    items.push({ kind: 'call', id: facts.id, whole: { ...facts, ...said }, fragments: call.fragments });
  }
  return items;
}

/** The probabilities of a text; none unless asked for. */
export function toTextLogprobs(text: readonly string[], { topLogprobs }: Ask): Logprob[] {
  return topLogprobs === undefined ? [] : toLogprobs(text, topLogprobs);
}

function toReasoning({ id, reasoning }: Answer, { request }: Ask): OutputItem {
  const wanted = isObject(request['reasoning']) ? request['reasoning'] : {};
  const isTold = typeof (wanted['summary'] ?? wanted['generate_summary']) === 'string';
  const include: unknown = request['include'];
  const isEncrypted = Array.isArray(include) && include.includes('reasoning.encrypted_content');
  const whole = {
    id: `rs_sim${id}`,
    type: 'reasoning',
    ...(isEncrypted && { encrypted_content: `${ENCRYPTED}${Buffer.from(reasoning.join('')).toString('base64url')}` }),
    summary: isTold ? [{ type: 'summary_text', text: reasoning.join('') }] : [],
  };
  return { kind: 'reasoning', id: whole.id, whole, summary: isTold ? reasoning : [] };
}

/** A response that has just begun: what was asked for is repeated, nothing is answered yet. */
export function toBegunResponse(answer: Answer, { model, request, topLogprobs }: Ask): Record<string, unknown> {
  const reasoning = isObject(request['reasoning']) ? request['reasoning'] : {};
  const text = isObject(request['text']) ? request['text'] : {};
  const usage = answer.reportsAlways ? answer.usageAt(0) : undefined;
  return {
    id: `resp_sim${answer.id}`,
    object: 'response',
    created_at: CREATED,
    status: 'in_progress',
    background: false,
    completed_at: null,
    error: null,
    incomplete_details: null,
    instructions: request['instructions'] ?? null,
    max_output_tokens: request['max_output_tokens'] ?? null,
    max_tool_calls: request['max_tool_calls'] ?? null,
    model,
    output: [],
    parallel_tool_calls: request['parallel_tool_calls'] ?? true,
    previous_response_id: null,
    prompt_cache_key: request['prompt_cache_key'] ?? null,
    reasoning: { effort: reasoning['effort'] ?? null, summary: reasoning['summary'] ?? null },
    safety_identifier: request['safety_identifier'] ?? null,
    service_tier: 'auto',
    store: request['store'] ?? true,
    temperature: request['temperature'] ?? 1,
    text: { format: toFormat(text['format']), verbosity: text['verbosity'] ?? 'medium' },
    tool_choice: request['tool_choice'] ?? 'auto',
    tools: toTools(request['tools']),
    top_logprobs: topLogprobs ?? 0,
    top_p: request['top_p'] ?? 1,
    truncation: request['truncation'] ?? 'disabled',
    usage: usage === undefined ? null : toUsage(usage),
    user: request['user'] ?? null,
    metadata: request['metadata'] ?? {},
  };
}

/** The whole response, complete or cut short. */
export function toEndedResponse(answer: Answer, ask: Ask): Record<string, unknown> {
  const isCut = answer.finish === 'length';
  return {
    ...toBegunResponse(answer, ask),
    status: isCut ? 'incomplete' : 'completed',
    completed_at: isCut ? null : CREATED + 1,
    incomplete_details: isCut ? { reason: 'max_output_tokens' } : null,
    output: toOutputItems(answer, ask).map((item) => item.whole),
    service_tier: 'default',
    usage: answer.usage === undefined ? null : toUsage(answer.usage),
  };
}

function toFormat(format: unknown): unknown {
  if (!isObject(format)) return { type: 'text' };
  return format['type'] === 'json_schema' ? { description: null, strict: false, ...format } : format;
}

function toTools(tools: unknown): unknown[] {
  if (!Array.isArray(tools)) return [];
  return tools.map((tool: unknown) =>
    isObject(tool) && tool['type'] === 'function' ? { description: null, strict: true, ...tool } : tool,
  );
}

function toUsage(usage: Usage): JsonObject {
  return {
    input_tokens: usage.promptTokens,
    input_tokens_details: { cached_tokens: usage.cachedTokens, cache_write_tokens: 0 },
    output_tokens: usage.completionTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.promptTokens + usage.completionTokens,
  };
}
