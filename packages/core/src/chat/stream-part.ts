import type { GatewayError } from '../errors.ts';
import type { ReasoningFormat } from './chat-request.ts';
import type { JsonValue } from './json.ts';
import type { ReportedUsage } from './usage.ts';

/**
 * Why a choice ended: the neutral reason, and the provider's own word for it.
 * A word we do not know becomes `other` and keeps its raw text.
 */
export interface FinishReason {
  readonly unified: 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'other';
  readonly raw: string;
  /** The caller's stop sequence that ended it, where the provider says which (Anthropic, vLLM). */
  readonly stopSequence?: string | undefined;
}

/**
 * The neutral unit of an answer, streamed or not: everything that a dialect's reader can say and a dialect's writer
 * can write. An answer that is not streamed is the list of its parts, each text in one piece.
 *
 * `choice` is the index of the choice it belongs to; only OpenAI has more than one. Parts of one choice keep their order.
 */
export type StreamPart =
  /** First of all: what the provider calls this answer and the model that gives it. `created` in seconds since 1970. */
  | {
      readonly type: 'start';
      readonly id?: string | undefined;
      readonly model?: string | undefined;
      readonly created?: number | undefined;
    }
  | { readonly type: 'text-delta'; readonly choice: number; readonly text: string }
  | { readonly type: 'reasoning-delta'; readonly choice: number; readonly text: string }
  /** The provider's proof that the reasoning before it is the model's own; must come back unchanged in the next turn. */
  | ({ readonly type: 'reasoning-signature'; readonly choice: number; readonly signature: string } & ReasoningOrigin)
  /** Reasoning that the provider only hands out encrypted. */
  | ({ readonly type: 'redacted-reasoning'; readonly choice: number; readonly data: string } & ReasoningOrigin)
  | { readonly type: 'refusal-delta'; readonly choice: number; readonly text: string }
  /** The first delta of a call carries `id` and `name`; `index` counts the calls of one choice from 0, without gaps. */
  | {
      readonly type: 'tool-call-delta';
      readonly choice: number;
      readonly index: number;
      readonly id?: string | undefined;
      readonly name?: string | undefined;
      readonly arguments: string;
    }
  /** Of the tokens of the choice's text, or of its refusal, in OpenAI's form: `{token, logprob, bytes, top_logprobs}`. */
  | {
      readonly type: 'logprobs';
      readonly choice: number;
      readonly of: 'text' | 'refusal';
      readonly tokens: readonly JsonValue[];
    }
  /** A web page that the text refers to. `start` and `end` are places in the choice's text, in characters, where known. */
  | {
      readonly type: 'citation';
      readonly choice: number;
      readonly url: string;
      readonly title?: string | undefined;
      readonly citedText?: string | undefined;
      readonly start?: number | undefined;
      readonly end?: number | undefined;
    }
  | { readonly type: 'usage'; readonly usage: ReportedUsage }
  | { readonly type: 'finish'; readonly choice: number; readonly reason: FinishReason }
  /** The provider's terminator (`[DONE]`, `message_stop`). */
  | { readonly type: 'done' }
  /** The provider said inside the stream that it failed. Nothing of its own text is in the error's message. */
  | { readonly type: 'error'; readonly error: GatewayError };

/** Whose a piece of reasoning is, and what its provider calls it; absent: Anthropic's, which has no names. */
export interface ReasoningOrigin {
  readonly format?: ReasoningFormat | undefined;
  readonly id?: string | undefined;
}
