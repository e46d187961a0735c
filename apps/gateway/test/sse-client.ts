import { createParser } from 'eventsource-parser';

export interface ReceivedStream {
  /** Data of all events but comments, in order. */
  readonly data: readonly string[];
  readonly comments: readonly string[];
  /** The JSON of the cost comment; absent when there was none. */
  readonly cost: CostComment | undefined;
}

export interface CostComment {
  readonly cost: string;
  readonly input_price: string;
  readonly output_price: string;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly estimated?: boolean;
  readonly partial?: boolean;
}

/** Reads SSE text with a parser that is not ours. */
export function parseStream(text: string): ReceivedStream {
  const data: string[] = [];
  const comments: string[] = [];
  const parser = createParser({
    onEvent: (event) => data.push(event.data),
    onComment: (comment) => comments.push(comment),
  });
  // A parser for live streams does not act on a line end that might still become CRLF.
  parser.feed(`${text}\n`);
  const cost = comments.findLast((comment) => comment.startsWith('{"cost"'));
  return { data, comments, cost: cost === undefined ? undefined : (JSON.parse(cost) as CostComment) };
}

interface OpenaiDelta {
  readonly content?: string | null;
  readonly reasoning_content?: string | null;
  readonly reasoning?: string | null;
  readonly refusal?: string | null;
  readonly tool_calls?: readonly { index?: number; id?: string; function?: { name?: string; arguments?: string } }[];
}

export interface OpenaiChunk {
  readonly choices?: readonly { index?: number; delta?: OpenaiDelta; finish_reason?: string | null }[];
  readonly usage?: OpenaiUsage | null;
  readonly error?: { message: string; type: string; code: number; reason: string; request_id: string };
}

export interface OpenaiUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly prompt_tokens_details?: { cached_tokens?: number };
  readonly completion_tokens_details?: { reasoning_tokens?: number };
  readonly cost?: number;
}

/** The first choice of an OpenAI stream put together as a client would. */
export function accumulate(chunks: readonly OpenaiChunk[]): {
  text: string;
  reasoning: string;
  refusal: string;
  tools: { id: string; name: string; arguments: string }[];
  finishReason: string | null;
  usage: OpenaiUsage | undefined;
} {
  const result = {
    text: '',
    reasoning: '',
    refusal: '',
    tools: [] as { id: string; name: string; arguments: string }[],
    finishReason: null as string | null,
    usage: undefined as OpenaiUsage | undefined,
  };
  for (const chunk of chunks) {
    if (chunk.usage) result.usage = chunk.usage;
    const choice = chunk.choices?.find(({ index = 0 }) => index === 0);
    if (choice === undefined) continue;
    const { content, reasoning_content, reasoning, refusal, tool_calls = [] } = choice.delta ?? {};
    if (typeof content === 'string') result.text += content;
    result.reasoning += reasoning_content ?? reasoning ?? '';
    result.refusal += refusal ?? '';
    for (const call of tool_calls ?? []) {
      const index = call.index ?? (call.id === undefined ? result.tools.length - 1 : result.tools.length);
      const tool = (result.tools[index] ??= { id: '', name: '', arguments: '' });
      tool.id ||= call.id ?? '';
      tool.name ||= call.function?.name ?? '';
      tool.arguments += call.function?.arguments ?? '';
    }
    result.finishReason = choice.finish_reason ?? result.finishReason;
  }
  return result;
}
