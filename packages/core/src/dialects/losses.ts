import type { CacheMark, ChatRequest, ContentPart, Loss, ReasoningPart, RequestSource } from '../chat/chat-request.ts';
import type { JsonObject, JsonValue } from '../chat/json.ts';
import { GatewayError } from '../errors.ts';
import type { DialectName } from './dialect.ts';
import { isEmpty, isGiven } from './request-reading.ts';
import { withoutUndefined } from './write-json.ts';

/** Of a conversation, the reasoning of earlier turns. */
const EARLIER_REASONING = 'messages[].reasoning_content';

/** How callers of a dialect name what others call differently. */
const NAMES: Readonly<Partial<Record<DialectName, Readonly<Record<string, string>>>>> = {
  openai: {
    max_tokens: 'max_completion_tokens',
    reasoning: 'reasoning_effort',
    'response_format.description': 'response_format.json_schema.description',
  },
  anthropic: {
    stop: 'stop_sequences',
    response_format: 'output_config.format',
    reasoning: 'thinking',
    [EARLIER_REASONING]: 'messages[].content[].thinking',
  },
  responses: {
    messages: 'input',
    max_tokens: 'max_output_tokens',
    [EARLIER_REASONING]: 'input[].summary',
    response_format: 'text.format',
    'response_format.description': 'text.format.description',
    logprobs: 'top_logprobs',
    verbosity: 'text.verbosity',
  },
};

/** The rule for messages that a conversation with none breaks. */
export const NOTHING_LEFT = 'must hold at least one message that can be carried over to the provider of this model';

/** What of a request is lost while it is written for a provider. */
export class Losses {
  readonly list: Loss[];
  readonly #source: RequestSource;

  constructor({ losses, source }: ChatRequest) {
    this.list = [...losses];
    this.#source = source;
  }

  /**
   * Something that the caller asked for, by its path, or by the name that it has in chat completions. `rule` completes
   * "`path` …" and says what would be right.
   */
  add(name: string, rule?: string): void {
    this.list.push({ path: this.#pathOf(name), ...(rule !== undefined && { rule }) });
  }

  /** The error for a member that cannot be written and not be left out. `rule` is as in {@link add}. */
  invalid(name: string, rule: string): GatewayError {
    const param = this.#pathOf(name);
    return new GatewayError('invalid_parameter', `${param} ${rule}.`, { param });
  }

  /** Something that makes no difference to the answer. */
  addHint(name: string): void {
    this.list.push({ path: this.#pathOf(name), isHint: true });
  }

  addMark(mark: CacheMark | undefined): void {
    if (mark !== undefined) this.addHint(mark.path);
  }

  /** The reasoning of earlier turns that the provider does not take: named once, however much of it there is. */
  addReasoning({ messages }: ChatRequest, isTaken: (part: ReasoningPart) => boolean): void {
    const isLeft = (part: ContentPart): boolean =>
      (part.type === 'reasoning' || part.type === 'redacted-reasoning') && !isTaken(part);
    if (messages.some(({ content }) => content.some(isLeft))) this.addHint(EARLIER_REASONING);
  }

  /** The members that the provider takes; of those that it refuses each that says something is lost. */
  takenOf(members: Readonly<Record<string, JsonValue | undefined>>, refused: readonly string[] = []): JsonObject {
    const taken = withoutUndefined(members);
    if (refused.length === 0) return taken;
    for (const name of refused) {
      if (!isEmpty(taken[name]) && taken[name] !== DEFAULTS[name]) this.#addMember(name);
    }
    return Object.fromEntries(Object.entries(taken).filter(([name]) => !refused.includes(name)));
  }

  /** Members of OpenAI's APIs, by their names in chat completions. */
  addOpenai({ openai = {} }: ChatRequest): void {
    for (const name of Object.keys(openai)) this.#addMember(name);
  }

  /** What the caller calls it; a member that the request has is called what it is. */
  #pathOf(name: string): string {
    const { dialect, body } = this.#source;
    return isGiven(body[name]) ? name : (NAMES[dialect]?.[name] ?? name);
  }

  #addMember(name: string): void {
    if (HINTS.has(name)) this.addHint(name);
    else this.add(name);
  }
}

/** What members are when they are left out, where that is not nothing. */
const DEFAULTS: JsonObject = {
  frequency_penalty: 0,
  logprobs: false,
  n: 1,
  parallel_tool_calls: true,
  presence_penalty: 0,
  service_tier: 'auto',
  store: false,
  top_logprobs: 0,
  verbosity: 'medium',
};

/** What requests are filed and cached under: the answer is the same without. */
const HINTS: ReadonlySet<string> = new Set([
  'metadata',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'safety_identifier',
  'store',
  'user',
]);
