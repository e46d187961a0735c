import type { CacheMark, ChatRequest, Loss } from '../chat/chat-request.ts';
import type { JsonObject, JsonValue } from '../chat/json.ts';
import { GatewayError } from '../errors.ts';
import { withoutUndefined } from './write-json.ts';
import type { DialectName } from './dialect.ts';

/** How callers of a dialect name what others call differently. */
const NAMES: Readonly<Partial<Record<DialectName, Readonly<Record<string, string>>>>> = {
  openai: { reasoning: 'reasoning_effort', 'response_format.description': 'response_format.json_schema.description' },
  anthropic: { stop: 'stop_sequences', response_format: 'output_config.format', reasoning: 'thinking' },
  responses: {
    messages: 'input',
    response_format: 'text.format',
    'response_format.description': 'text.format.description',
    logprobs: 'top_logprobs',
    verbosity: 'text.verbosity',
  },
};

/** The rule for messages that a conversation with none breaks. */
export const NOTHING_LEFT = 'must hold at least one message that can be carried over to the provider of this model';

/** What of a request is lost while it is written in another dialect. */
export class Losses {
  readonly list: Loss[];
  readonly #names: Readonly<Record<string, string>>;

  constructor({ losses, source }: ChatRequest) {
    this.list = [...losses];
    this.#names = NAMES[source.dialect] ?? {};
  }

  /**
   * Something that the caller asked for, by its path, or by the name that it has in chat completions. `rule` completes
   * "`path` …" and says what would be right.
   */
  add(name: string, rule?: string): void {
    this.list.push({ path: this.#names[name] ?? name, ...(rule !== undefined && { rule }) });
  }

  /** The error for a member that cannot be written and not be left out. `rule` is as in {@link add}. */
  invalid(name: string, rule: string): GatewayError {
    const param = this.#names[name] ?? name;
    return new GatewayError('invalid_parameter', `${param} ${rule}.`, { param });
  }

  /** Something that makes no difference to the answer. */
  addHint(name: string): void {
    this.list.push({ path: this.#names[name] ?? name, isHint: true });
  }

  addMark(mark: CacheMark | undefined): void {
    if (mark !== undefined) this.addHint(mark.path);
  }

  /** The members that the provider takes; of those that it refuses each is lost. */
  takenOf(members: Readonly<Record<string, JsonValue | undefined>>, refused: readonly string[] = []): JsonObject {
    const taken = withoutUndefined(members);
    for (const name of refused) {
      if (taken[name] === undefined) continue;
      if (HINTS.has(name)) this.addHint(name);
      else this.add(name);
    }
    return Object.fromEntries(Object.entries(taken).filter(([name]) => !refused.includes(name)));
  }

  /** Members of OpenAI's APIs, by their names in chat completions. */
  addOpenai({ openai = {} }: ChatRequest): void {
    for (const name of Object.keys(openai)) {
      if (HINTS.has(name)) this.addHint(name);
      else this.add(name);
    }
  }
}

/** What requests are filed and cached under: the answer is the same without. */
const HINTS: ReadonlySet<string> = new Set([
  'metadata',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'user',
]);
