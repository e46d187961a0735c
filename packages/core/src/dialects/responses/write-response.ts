import type { JsonObject, JsonValue } from '../../chat/json.ts';
import type { Receipt } from '../../cost/receipt.ts';
import type { AnswerIdentity } from '../dialect.ts';
import { writeUsage } from './usage.ts';

/** What a response repeats of its request, and what stands there when the request says nothing. */
const ECHOED: Readonly<Record<string, JsonValue>> = {
  instructions: null,
  max_output_tokens: null,
  metadata: {},
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  service_tier: 'default',
  store: false,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  truncation: 'disabled',
  user: null,
};

export interface ResponseState {
  readonly output: readonly JsonObject[];
  /** What it is incomplete for; `null` when it is complete, or not at its end yet. */
  readonly incomplete: { readonly reason: string } | null;
  /** Its bill; `undefined` while it is in progress. */
  readonly receipt: Receipt | undefined;
}

/** A response as JSON text. */
export function writeResponse(identity: AnswerIdentity, { output, incomplete, receipt }: ResponseState): string {
  const status = receipt === undefined ? 'in_progress' : incomplete === null ? 'completed' : 'incomplete';
  const head = JSON.stringify({
    id: `resp_${identity.requestId}`,
    object: 'response',
    created_at: identity.created,
    status,
    background: false,
    error: null,
    incomplete_details: incomplete,
    model: identity.model,
    output,
    ...echo(identity),
  });
  return `${head.slice(0, -1)},"usage":${receipt === undefined ? 'null' : writeUsage(receipt)}}`;
}

function echo({ request }: AnswerIdentity): JsonObject {
  const source = request?.source;
  if (source?.dialect !== 'responses') return ECHOED;
  const said = Object.keys(ECHOED).map((name) => [name, source.body[name] ?? ECHOED[name]] as const);
  return Object.fromEntries(said);
}
