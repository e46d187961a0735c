import type { GatewayError } from '../errors.ts';
import type { ReportedUsage } from './usage.ts';

/**
 * Why a choice ended: the neutral reason, and the provider's own word for it.
 * A word we do not know becomes `other` and keeps its raw text.
 */
export interface FinishReason {
  readonly unified: 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'other';
  readonly raw: string;
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
  /** Anthropic's proof that the reasoning before it is the model's own; must come back unchanged in the next turn. */
  | { readonly type: 'reasoning-signature'; readonly choice: number; readonly signature: string }
  /** Reasoning that the provider only hands out encrypted. */
  | { readonly type: 'redacted-reasoning'; readonly choice: number; readonly data: string }
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
  | { readonly type: 'usage'; readonly usage: ReportedUsage }
  | { readonly type: 'finish'; readonly choice: number; readonly reason: FinishReason }
  /** The provider's terminator (`[DONE]`, `message_stop`). */
  | { readonly type: 'done' }
  /** The provider said inside the stream that it failed. Nothing of its own text is in the error's message. */
  | { readonly type: 'error'; readonly error: GatewayError };
