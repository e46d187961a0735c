import type { Directives } from './directives.ts';
import { exampleArguments } from './example-arguments.ts';
import { countingTokens, jsonTokens, simulatedTokens } from './words.ts';

/** What a request asks of the model, whatever its wire format. */
export interface Ask {
  readonly model: string;
  readonly stream: boolean;
  /** Usage is wanted in the stream (OpenAI), on every chunk (vLLM). */
  readonly includeUsage: boolean;
  readonly continuousUsage: boolean;
  /** OpenAI's padding against guessing by length; on unless switched off. */
  readonly obfuscation: boolean;
  readonly choices: number;
  readonly maxTokens: number | undefined;
  readonly tools: readonly ToolOffer[];
  readonly toolChoice: 'auto' | 'none' | 'required' | { readonly name: string };
  readonly parallelToolCalls: boolean;
  readonly thinking: boolean;
  /** The text is to be JSON of this schema. */
  readonly format: { readonly schema: unknown } | undefined;
  /** How many alternatives are to be told with the probability of each token; `undefined` tells nothing. */
  readonly topLogprobs: number | undefined;
  /** The last message is a tool's result: time to answer in text. */
  readonly answersTool: boolean;
  readonly lastUserText: string;
  /** Characters of text in all messages. */
  readonly promptCharacters: number;
  /** The body itself, for answers that repeat parts of it. */
  readonly request: Readonly<Record<string, unknown>>;
}

export interface ToolOffer {
  readonly name: string;
  /** JSON Schema of the arguments. */
  readonly schema: unknown;
}

/** What the simulated model answers, whatever the wire format. Each string is one token and becomes one event. */
export interface Answer {
  /** Sixteen hexadecimal digits, the same for the same seed; ids are made from it. */
  readonly id: string;
  readonly reasoning: readonly string[];
  readonly text: readonly string[];
  readonly calls: readonly ToolCall[];
  readonly finish: 'stop' | 'length' | 'tool_calls';
  /** Tokens of one choice; every choice says the same. */
  readonly tokens: number;
  /** Usage comes with every chunk although nobody asked: a provider whose usage shrinks must report it more than once. */
  readonly reportsAlways: boolean;
  /** What is reported when so many tokens of all choices are out; `undefined` reports nothing. */
  readonly usageAt: (completionTokens: number) => Usage | undefined;
  /** What is reported at the end. */
  readonly usage: Usage | undefined;
}

export interface ToolCall {
  readonly id: string;
  /** Counts as one token. */
  readonly name: string;
  readonly fragments: readonly string[];
}

export interface Usage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
}

/** What a request asks for that says no more than which model and what text. */
export const PLAIN_ASK = {
  stream: false,
  includeUsage: true,
  continuousUsage: false,
  obfuscation: true,
  choices: 1,
  maxTokens: undefined,
  tools: [],
  toolChoice: 'auto',
  parallelToolCalls: true,
  thinking: false,
  format: undefined,
  topLogprobs: undefined,
  answersTool: false,
} as const satisfies Partial<Ask>;

const DEFAULT_TOKENS = 32;
const DEFAULT_REASONING_TOKENS = 16;

/** Decides what to say. Pure: the same ask and directives give the same answer. */
export function toAnswer(ask: Ask, directives: Directives): Answer {
  const seed = directives.seed ?? 1;
  const thinks = ask.thinking || ask.model.includes('reason');
  const id = seed.toString(16).padStart(16, '0');
  const wantedCalls = toToolCalls(ask, directives, id);

  // `max_tokens` is spent in the order in which the answer comes.
  let left = ask.maxTokens ?? Infinity;
  const spend = (tokens: readonly string[]): readonly string[] => {
    const spent = tokens.slice(0, left);
    left -= spent.length;
    return spent;
  };
  const reasoningTokens = directives.reasoning ?? (thinks ? DEFAULT_REASONING_TOKENS : 0);
  const wantedReasoning = simulatedTokens(reasoningTokens, seed + 1, directives.multibyte);
  const wantedText = toText(ask, directives, wantedCalls.length > 0);
  const reasoning = spend(wantedReasoning);
  const text = spend(wantedText);
  const calls = wantedCalls
    .filter(() => left > 0)
    .map((call) => ({ ...call, fragments: spend([call.name, ...call.fragments]).slice(1) }));

  const wanted = count(wantedReasoning, wantedText, wantedCalls);
  const tokens = count(reasoning, text, calls);
  const usageAt = toUsageReport(ask, directives, { tokens: tokens * ask.choices, reasoning: reasoning.length });
  return {
    id,
    reasoning,
    text,
    calls,
    finish: tokens < wanted ? 'length' : calls.length > 0 ? 'tool_calls' : 'stop',
    tokens,
    reportsAlways: directives.usage === 'decreasing',
    usageAt,
    usage: usageAt(tokens * ask.choices),
  };
}

function toText(ask: Ask, directives: Directives, callsTools: boolean): string[] {
  const range = /count from (\d\d?) to (\d\d?)\b/i.exec(ask.lastUserText);
  if (directives.tokens === undefined && callsTools) return [];
  if (ask.format !== undefined) return toJsonText(ask.format.schema, directives.tokens ?? 0);
  if (directives.tokens === undefined && range !== null) return countingTokens(Number(range[1]), Number(range[2]));
  return simulatedTokens(directives.tokens ?? DEFAULT_TOKENS, directives.seed ?? 1, directives.multibyte);
}

/** JSON of the schema, never cut, and blanks behind it up to the count. */
function toJsonText(schema: unknown, least: number): string[] {
  const tokens = jsonTokens(exampleArguments(schema));
  while (tokens.length < least) tokens.push(' ');
  return tokens;
}

function toToolCalls(ask: Ask, directives: Directives, id: string): ToolCall[] {
  const { tools, toolChoice } = ask;
  if (tools.length === 0 || toolChoice === 'none') return [];
  // A model that must call does so after a tool's result too.
  if (ask.answersTool && toolChoice === 'auto') return [];
  const offers = typeof toolChoice === 'object' ? tools.filter((tool) => tool.name === toolChoice.name) : tools;
  const wanted = directives.tools ?? 1;
  const calls: ToolCall[] = [];
  for (let index = 0; index < (ask.parallelToolCalls ? wanted : Math.min(wanted, 1)); index++) {
    const offer = offers[index % offers.length];
    if (offer === undefined) break;
    const fragments = jsonTokens(exampleArguments(offer.schema));
    calls.push({ id: `${id}${index}`, name: offer.name, fragments });
  }
  return calls;
}

function toUsageReport(ask: Ask, directives: Directives, total: { tokens: number; reasoning: number }) {
  const promptTokens = directives.prompt ?? Math.max(1, Math.ceil(ask.promptCharacters / 4));
  const cachedTokens = Math.min(directives.cached ?? 0, promptTokens);
  return (completionTokens: number): Usage | undefined => {
    const reasoningTokens = Math.min(completionTokens, total.reasoning * ask.choices);
    const truth = { promptTokens, cachedTokens, completionTokens, reasoningTokens };
    switch (directives.usage) {
      case 'absent':
        return undefined;
      case 'negative':
        return {
          promptTokens: -promptTokens,
          cachedTokens: 0,
          completionTokens: -completionTokens,
          reasoningTokens: 0,
        };
      case 'huge':
        return { ...truth, promptTokens: 1e12, completionTokens: 1e12 };
      case 'decreasing':
        return { ...truth, completionTokens: 2 * total.tokens - completionTokens };
      case undefined:
      default:
        return truth;
    }
  };
}

function count(reasoning: readonly string[], text: readonly string[], calls: readonly ToolCall[]): number {
  return calls.reduce((sum, call) => sum + 1 + call.fragments.length, reasoning.length + text.length);
}
