/**
 * Where a server differs, in the requests that it takes and the answers that it gives, from the vendor whose dialect it
 * speaks. Each member absent: no difference. They are data of a provider's preset, so that no dialect knows a provider by name.
 */
export interface Quirks {
  /** Chat completions: the name of the bound on the answer. @defaultValue `max_completion_tokens` */
  readonly maxTokensMember?: 'max_tokens' | undefined;
  /** Chat completions: refuses `stream_options`; usage comes all the same. */
  readonly noStreamOptions?: true | undefined;
  /** Chat completions: its word for `tool_choice: "required"`. */
  readonly requiredToolChoice?: 'any' | undefined;
  /** Chat completions: ids of tool calls must be nine letters or digits (Mistral). */
  readonly shortToolCallIds?: true | undefined;
  /** Chat completions: its tool calls come without `type`, and in streams may lack `index`; relayed, they get both (Mistral). */
  readonly bareToolCalls?: true | undefined;
  /** Chat completions: its content may be a list of texts and thoughts; relayed, it is a text, and the thoughts `reasoning_content` (Mistral). */
  readonly contentParts?: true | undefined;
  /**
   * Chat completions: its reasoning is called `reasoning` alone; relayed, it stands in `reasoning_content` as well, and what
   * callers send back under that name alone goes up as `reasoning`, too (Groq, Ollama, OpenRouter, Together, vLLM). Not
   * beside `bareToolCalls` or `contentParts`: their chunks are written anew, these are copied.
   */
  readonly bareReasoning?: true | undefined;
  /** Chat completions: how the wish for reasoning is put. @defaultValue `reasoning_effort` */
  readonly reasoningMember?: 'reasoning' | 'thinking' | 'none' | undefined;
  /** Chat completions: the member in which it takes the reasoning of earlier turns back. Absent: it takes none. */
  readonly reasoningBack?: 'reasoning_content' | 'reasoning' | 'reasoning_details' | undefined;
  /** Chat completions: takes `top_k`. */
  readonly topK?: true | undefined;
  /** Chat completions: takes a document as `document_url`, an address or a data URL (Mistral). */
  readonly documentUrl?: true | undefined;
  /** Chat completions: takes Anthropic's `cache_control` on content parts (OpenRouter). */
  readonly cacheControl?: true | undefined;
  /** Members that it refuses. They are left out, and count as lost, but for `reasoning_content` of messages, which goes up as `reasoning`. */
  readonly refused?: readonly string[] | undefined;
}
