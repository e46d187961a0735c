import type { DialectName } from '../dialects/dialect.ts';
import type { JsonObject, JsonValue } from './json.ts';

/**
 * What a caller asks for, provider-neutral, with the caller's own JSON beside it.
 *
 * A dialect's `readRequest` makes it and has checked every member it names. To a provider of the same dialect goes
 * `source.body` with little changed; only a provider of another dialect gets a request written from the neutral members.
 */
export interface ChatRequest {
  readonly source: RequestSource;
  /** The model id as named by the caller; `undefined` when any model may serve (absent, `*` or `auto`). */
  readonly model?: string | undefined;
  readonly messages: readonly ChatMessage[];
  readonly stream: boolean;
  /** The caller wants a usage chunk in its stream (OpenAI's `stream_options.include_usage`). */
  readonly includeUsage: boolean;
  /** How many answers are asked for (OpenAI's `n`), 1 to 8. */
  readonly choices: number;
  /** Upper bound of the answer in tokens; `undefined` leaves it to the model. */
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
  /** The form that the answer's text must have; `undefined` is plain text. */
  readonly responseFormat?: ResponseFormat | undefined;
  /** How many alternatives each token's log probability comes with, 0 to 20; `undefined`: no log probabilities. */
  readonly logprobs?: number | undefined;
  /** An opaque name of the caller's own user, for the provider's abuse detection. */
  readonly user?: string | undefined;
  /** Members that OpenAI's two APIs have in common and others have not, as they stand: see {@link OpenaiMembers}. */
  readonly openai?: OpenaiMembers | undefined;
  /** Members of the caller's JSON for which there are no neutral words; a provider of the same dialect gets them untouched. */
  readonly losses: readonly Loss[];
}

/** The caller's own JSON and the dialect it is written in. */
export interface RequestSource {
  readonly dialect: DialectName;
  readonly body: JsonObject;
  /** Anthropic's beta features that the caller switches on by header; they reach a provider of the same dialect only. */
  readonly betas?: readonly string[] | undefined;
}

/**
 * A member of the caller's JSON that a provider of another dialect does not get. A request with a loss is refused by
 * that provider, or sent without it where the caller allows that or where it is only a hint; the answer then says so.
 */
export interface Loss {
  /** Of the member, as in `messages[0].content[1]`. */
  readonly path: string;
  /** What would be right, to complete "`path` …"; absent: nothing would but to leave it out. */
  readonly rule?: string | undefined;
  /** The answer means the same without it (where to cache, what to file the request under). */
  readonly isHint?: true | undefined;
}

/** Members of OpenAI's two APIs that mean the same in both, by their names in chat completions. */
export interface OpenaiMembers {
  readonly metadata?: JsonValue | undefined;
  readonly prompt_cache_key?: JsonValue | undefined;
  readonly prompt_cache_options?: JsonValue | undefined;
  readonly prompt_cache_retention?: JsonValue | undefined;
  readonly service_tier?: JsonValue | undefined;
  readonly verbosity?: JsonValue | undefined;
}

/** One message of a conversation. Tool results are messages of their own, each for the call that it answers. */
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
      readonly content: readonly ContentPart[];
      readonly isError?: boolean;
    };

/** A piece of text. */
export interface TextPart {
  readonly type: 'text';
  readonly text: string;
  readonly cache?: CacheMark | undefined;
}

/** A picture. */
export interface ImagePart {
  readonly type: 'image';
  readonly source: MediaSource;
  /** OpenAI's `detail`: how closely it is looked at. */
  readonly detail?: string | undefined;
  readonly cache?: CacheMark | undefined;
  /** Of this part in the caller's JSON. */
  readonly path: string;
}

/** A document: PDF as a rule, or plain text. */
export interface DocumentPart {
  readonly type: 'document';
  readonly source: MediaSource | { readonly type: 'text'; readonly text: string };
  /** What it is called: a file name or a title. */
  readonly name?: string | undefined;
  readonly cache?: CacheMark | undefined;
  /** Of this part in the caller's JSON. */
  readonly path: string;
}

/** Where the bytes of an image or document are: at an address that the provider reads, or here in base64. */
export type MediaSource =
  | { readonly type: 'url'; readonly url: string }
  | { readonly type: 'base64'; readonly mediaType: string; readonly data: string };

/**
 * The prompt up to here is worth caching, for so long; `undefined` is the provider's own time. A hint.
 * Source: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
 */
export interface CacheMark {
  readonly ttl?: '5m' | '1h' | undefined;
  /** Of the mark in the caller's JSON. */
  readonly path: string;
}

/** One piece of a message. A piece without neutral words is named in `ChatRequest.losses` and is not here. */
export type ContentPart =
  | TextPart
  | ImagePart
  | DocumentPart
  /** What the model thought in an earlier turn; `signature` is its provider's proof that it has not been changed. */
  | {
      readonly type: 'reasoning';
      readonly text: string;
      readonly signature?: string | undefined;
      readonly format?: ReasoningFormat | undefined;
      /** What its provider calls it (OpenAI's `rs_…`). */
      readonly id?: string | undefined;
    }
  /** The same in a form that only its provider can read. */
  | {
      readonly type: 'redacted-reasoning';
      readonly data: string;
      readonly format?: ReasoningFormat | undefined;
      readonly id?: string | undefined;
    };

/** What the model thought in an earlier turn. */
export type ReasoningPart = ContentPart & { readonly type: 'reasoning' | 'redacted-reasoning' };

/**
 * Whose signature or encryption a piece of reasoning bears: it means something to that provider's models only. Absent:
 * Anthropic's; `openai`; or OpenRouter's name of another's (`google-gemini-v1`), which goes back to chat completions alone.
 */
export type ReasoningFormat = string;

/** A call of one of the caller's tools, as the model has made it in an earlier turn. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** The arguments as JSON text, as the model wrote them; not always valid JSON. */
  readonly arguments: string;
  readonly cache?: CacheMark | undefined;
}

/** A function of the caller's that the model may call. */
export interface Tool {
  readonly name: string;
  readonly description?: string | undefined;
  /** JSON Schema of the arguments; passed on, never compiled. */
  readonly parameters?: JsonObject | undefined;
  readonly strict?: boolean | undefined;
  readonly cache?: CacheMark | undefined;
}

/** Whether the model may, must or must not call a tool, or must call this one. */
export type ToolChoice =
  { readonly type: 'auto' | 'none' | 'required' } | { readonly type: 'tool'; readonly name: string };

/** How much the model may think before it answers. `budgetTokens` 0 switches thinking off, whatever the effort. */
export interface ReasoningRequest {
  readonly effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max' | undefined;
  readonly budgetTokens?: number | undefined;
  /** The model decides how much it thinks (Anthropic's `adaptive`). */
  readonly isAdaptive?: true | undefined;
}

/** JSON of any shape, or JSON that fits a schema. */
export type ResponseFormat =
  | { readonly type: 'json' }
  | {
      readonly type: 'json-schema';
      /** Required by OpenAI; `undefined` from those who have no name. */
      readonly name?: string | undefined;
      readonly description?: string | undefined;
      /** Passed on, never compiled. */
      readonly schema: JsonObject;
      readonly strict?: boolean | undefined;
    };
