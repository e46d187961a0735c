/**
 * The message of each `context_length_exceeded`. Since the `code` of our errors is a status, clients that shorten a
 * conversation tell the error by words: Claude Code by "prompt is too long", which Anthropic says, LangChain by "maximum
 * context length" and `context_length_exceeded`, which OpenAI says.
 */
export const PROMPT_TOO_LONG =
  'The prompt is too long for the model: with the answer asked for it exceeds the maximum context length (context_length_exceeded). Shorten the messages, lower max_tokens, or use a model with a larger context window.';
