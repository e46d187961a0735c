import type { FinishReason, StreamPart } from '../../chat/stream-part.ts';
import type { ReportedUsage } from '../../chat/usage.ts';
import { NOTHING_USED, type Receipt } from '../../cost/receipt.ts';
import type { Dialect } from '../../dialects/dialect.ts';
import type { DialectPair } from './dialect-pairs.ts';

interface Thought {
  text: string;
  /** The signature or the encrypted text, with the word for whose it is. */
  proof?: string;
}

interface Call {
  id: string;
  name: string;
  arguments: string;
}

/** All that an answer of one choice says, wherever its parts begin and end. */
export interface Summary {
  text: string;
  refusal: string;
  readonly thoughts: Thought[];
  readonly redacted: string[];
  readonly calls: Call[];
  finish: FinishReason['unified'] | undefined;
  usage: readonly (number | undefined)[];
}

export function summarise(parts: readonly StreamPart[]): Summary {
  const said: Summary = { text: '', refusal: '', thoughts: [], redacted: [], calls: [], finish: undefined, usage: [] };
  for (const part of parts) add(said, part);
  return said;
}

function add(said: Summary, part: StreamPart): void {
  switch (part.type) {
    case 'text-delta':
      said.text += part.text;
      break;
    case 'refusal-delta':
      said.refusal += part.text;
      break;
    case 'reasoning-delta':
      openThought(said).text += part.text;
      break;
    case 'reasoning-signature':
      openThought(said).proof = `${originOf(part)} ${part.signature}`;
      break;
    case 'redacted-reasoning':
      said.redacted.push(`${originOf(part)} ${part.data}`);
      break;
    case 'tool-call-delta': {
      const call = (said.calls[part.index] ??= { id: '', name: '', arguments: '' });
      call.id += part.id ?? '';
      call.name += part.name ?? '';
      call.arguments += part.arguments;
      break;
    }
    case 'usage':
      said.usage = countsOf(part.usage);
      break;
    case 'finish':
      said.finish = part.reason.unified;
      break;
    default:
  }
}

/** The thought that has no proof yet. */
function openThought({ thoughts }: Summary): Thought {
  const last = thoughts.at(-1);
  if (last !== undefined && last.proof === undefined) return last;
  const opened: Thought = { text: '' };
  thoughts.push(opened);
  return opened;
}

function originOf({ format = 'anthropic', id = '' }: { readonly format?: string | undefined; readonly id?: string | undefined }): string {
  return `${format} ${id}`;
}

function countsOf(usage: ReportedUsage): (number | undefined)[] {
  const { promptTokens, completionTokens, cachedTokens, cacheWriteTokens, reasoningTokens } = usage;
  return [promptTokens, completionTokens, cachedTokens, cacheWriteTokens, reasoningTokens];
}

/** What comes out on the other side. Anthropic has no refusals: there they are text, and the reason why it ended. */
export function expected(parts: readonly StreamPart[], { from, to }: DialectPair): Summary {
  const said = summarise(parts);
  if (said.refusal === '' || (from.name !== 'anthropic' && to.name !== 'anthropic')) return said;
  const finish = said.finish === 'stop' ? 'content_filter' : said.finish;
  return { ...said, text: said.text + said.refusal, refusal: '', finish };
}

/**
 * The same without the names of thoughts, which a response's writer does not know in time where a thought has a text: see
 * the test on that in `round-trip-streams.test.ts`.
 */
export function withoutNames(summary: Summary): Summary {
  const thoughts = summary.thoughts.map(({ text, proof }) =>
    proof === undefined ? { text } : { text, proof: withoutName(proof) },
  );
  return { ...summary, thoughts, redacted: summary.redacted.map(withoutName) };
}

function withoutName(proof: string): string {
  return proof.replace(/ \S* /, ' ');
}

/**
 * The same with all thoughts as one, since a whole chat completion does not keep them apart: see the test on that in
 * `round-trip-answers.test.ts`.
 */
export function withPooledThoughts(summary: Summary): Summary {
  const text = summary.thoughts.map((thought) => thought.text).join('');
  const proofs = summary.thoughts.flatMap(({ proof }) => proof ?? []);
  return { ...summary, thoughts: [{ text }], redacted: [...proofs, ...summary.redacted].toSorted() };
}

/** The same with arguments as the values they stand for. */
export function withValues(summary: Summary): Summary {
  return { ...summary, calls: summary.calls.map((call) => ({ ...call, arguments: normalJson(call.arguments) })) };
}

function normalJson(text: string): string {
  return JSON.stringify(JSON.parse(text));
}

/** A receipt that shows the last usage of these parts. */
export function receiptFor(parts: readonly StreamPart[]): Receipt {
  const reported = parts.findLast((part) => part.type === 'usage')?.usage;
  const { promptTokens = 0, completionTokens = 0, cachedTokens = 0 } = reported ?? {};
  const { cacheWriteTokens = 0, reasoningTokens = 0 } = reported ?? {};
  const counts = { promptTokens, completionTokens, cachedTokens, cacheWriteTokens, reasoningTokens };
  return { ...NOTHING_USED, counts };
}

export const IDENTITY = { requestId: 'req-1', model: 'model-1', created: 1_700_000_000 };
export const OPTIONS = { includeUsage: true, choices: 1, price: () => NOTHING_USED };

/** The stream that a provider of this dialect would send. */
export function writeStream(dialect: Dialect, parts: readonly StreamPart[]): string {
  const writer = dialect.createStreamWriter(IDENTITY, OPTIONS);
  const events = parts.map((part) => writer.write(part)).join('');
  return events + writer.end(receiptFor(parts));
}
