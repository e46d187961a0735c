import type { JsonObject, JsonValue } from '../../chat/json.ts';

/*
 * The members of OpenAI's JSON that we read. Nothing is promised about their types: providers leave members out, send
 * null, or send something else under the same name. Source: https://platform.openai.com/docs/api-reference/chat.
 */

/** A chunk of a stream, or a complete answer. */
export interface WireAnswer extends JsonObject {
  readonly id?: JsonValue | undefined;
  readonly model?: JsonValue | undefined;
  readonly created?: JsonValue | undefined;
  readonly choices?: JsonValue | undefined;
  readonly usage?: JsonValue | undefined;
  /** Groq's own envelope: `{ usage }`. */
  readonly x_groq?: JsonValue | undefined;
  readonly error?: JsonValue | undefined;
  readonly object?: JsonValue | undefined;
  /** Perplexity, xAI: addresses of the pages that the answer refers to. */
  readonly citations?: JsonValue | undefined;
}

export interface WireChoice extends JsonObject {
  readonly index?: JsonValue | undefined;
  readonly delta?: JsonValue | undefined;
  readonly message?: JsonValue | undefined;
  /** Of the legacy completions; Together repeats the delta's content here. */
  readonly text?: JsonValue | undefined;
  readonly finish_reason?: JsonValue | undefined;
  /** vLLM: the stop sequence that ended the answer, or a token's number. */
  readonly stop_reason?: JsonValue | undefined;
  readonly logprobs?: JsonValue | undefined;
  readonly error?: JsonValue | undefined;
}

/** What a delta and a message have in common. */
export interface WireMessage extends JsonObject {
  /** Text, or with Mistral a list of parts. */
  readonly content?: JsonValue | undefined;
  readonly refusal?: JsonValue | undefined;
  /** DeepSeek, xAI, llama.cpp, older vLLM. */
  readonly reasoning_content?: JsonValue | undefined;
  /** Groq, Together, Ollama, OpenRouter, newer vLLM. */
  readonly reasoning?: JsonValue | undefined;
  /** OpenRouter's list of signed or encrypted pieces. */
  readonly reasoning_details?: JsonValue | undefined;
  readonly tool_calls?: JsonValue | undefined;
  readonly function_call?: JsonValue | undefined;
  readonly audio?: JsonValue | undefined;
  readonly annotations?: JsonValue | undefined;
}

export interface WireToolCall extends JsonObject {
  readonly index?: JsonValue | undefined;
  readonly id?: JsonValue | undefined;
  readonly type?: JsonValue | undefined;
  readonly function?: JsonValue | undefined;
}

export interface WireFunction extends JsonObject {
  readonly name?: JsonValue | undefined;
  readonly arguments?: JsonValue | undefined;
}

export interface WireUsage extends JsonObject {
  readonly prompt_tokens?: JsonValue | undefined;
  readonly completion_tokens?: JsonValue | undefined;
  readonly total_tokens?: JsonValue | undefined;
  readonly prompt_tokens_details?: JsonValue | undefined;
  readonly completion_tokens_details?: JsonValue | undefined;
  /** DeepSeek. */
  readonly prompt_cache_hit_tokens?: JsonValue | undefined;
  /** Together. */
  readonly cached_tokens?: JsonValue | undefined;
  readonly reasoning_tokens?: JsonValue | undefined;
  /** Gateways in front of Anthropic. */
  readonly cache_read_input_tokens?: JsonValue | undefined;
  readonly cache_creation_input_tokens?: JsonValue | undefined;
}

export interface WireTokenDetails extends JsonObject {
  readonly cached_tokens?: JsonValue | undefined;
  /** OpenRouter. */
  readonly cache_write_tokens?: JsonValue | undefined;
  /** LiteLLM. */
  readonly cache_creation_tokens?: JsonValue | undefined;
  /** LiteLLM, as Anthropic's `cache_creation`: `ephemeral_5m_input_tokens`, `ephemeral_1h_input_tokens`. */
  readonly cache_creation_token_details?: JsonValue | undefined;
  readonly reasoning_tokens?: JsonValue | undefined;
}
