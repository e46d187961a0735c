import type { DialectName } from '../dialects/dialect.ts';
import type { JsonObject } from './json.ts';

/**
 * What a caller asks for, provider-neutral, with the caller's own JSON beside it.
 *
 * A dialect's `readRequest` makes it and has checked every member it names. To a provider of the same dialect goes
 * `source.body` with little changed; only a provider of another dialect gets a request written from the neutral members.
 */
export interface ChatRequest {
  /** The caller's own JSON and the dialect it is written in. */
  readonly source: { readonly dialect: DialectName; readonly body: JsonObject };
  /** The model id as named by the caller; `undefined` when any model may serve (absent, `*` or `auto`). */
  readonly model?: string | undefined;
  readonly messages: readonly ChatMessage[];
  readonly stream: boolean;
  /** The caller wants a usage chunk in its stream (OpenAI's `stream_options.include_usage`). */
  readonly includeUsage: boolean;
  /** How many answers are asked for (OpenAI's `n`), 1 to 8. */
  readonly choices: number;
  /** Upper bound of the answer in tokens, at least 1; `undefined` leaves it to the model. */
  readonly maxOutputTokens?: number | undefined;
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly topK?: number | undefined;
  readonly stop?: readonly string[] | undefined;
  readonly tools?: readonly Tool[] | undefined;
  readonly toolChoice?: ToolChoice | undefined;
  /** False forbids several tool calls in one answer; `undefined` leaves it to the provider. */
  readonly parallelToolCalls?: boolean | undefined;
  readonly reasoning?: ReasoningRequest | undefined;
  /** An opaque name of the caller's own user, for the provider's abuse detection. */
  readonly user?: string | undefined;
  /**
   * Members of the caller's JSON, by path, for which there are no neutral words (`logprobs`, `response_format`, …).
   * They reach a provider of the same dialect untouched; a provider of another dialect cannot serve this request.
   */
  readonly untranslatable: readonly string[];
}

export type ChatMessage =
  | { readonly role: 'system'; readonly content: readonly TextPart[] }
  | { readonly role: 'user'; readonly content: readonly ContentPart[] }
  | {
      readonly role: 'assistant';
      readonly content: readonly ContentPart[];
      readonly toolCalls: readonly ToolCall[];
    }
  | {
      readonly role: 'tool';
      readonly toolCallId: string;
      readonly content: readonly TextPart[];
      readonly isError?: boolean;
    };

export interface TextPart {
  readonly type: 'text';
  readonly text: string;
}

/** One piece of a message. A piece without neutral words is named in `ChatRequest.untranslatable` and is not here. */
export type ContentPart =
  | TextPart
  | { readonly type: 'reasoning'; readonly text: string; readonly signature?: string | undefined }
  | { readonly type: 'redacted-reasoning'; readonly data: string };

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** The arguments as JSON text, as the model wrote them; not always valid JSON. */
  readonly arguments: string;
}

export interface Tool {
  readonly name: string;
  readonly description?: string | undefined;
  /** JSON Schema of the arguments; passed on, never compiled. */
  readonly parameters?: JsonObject | undefined;
  readonly strict?: boolean | undefined;
}

export type ToolChoice =
  { readonly type: 'auto' | 'none' | 'required' } | { readonly type: 'tool'; readonly name: string };

/** How much the model may think before it answers. `budgetTokens` 0 switches thinking off. */
export interface ReasoningRequest {
  readonly effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | undefined;
  readonly budgetTokens?: number | undefined;
}
