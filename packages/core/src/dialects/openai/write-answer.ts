import type { JsonObject, JsonValue } from '../../chat/json.ts';
import type { StreamPart } from '../../chat/stream-part.ts';
import type { Receipt } from '../../cost/receipt.ts';
import type { AnswerIdentity } from '../dialect.ts';
import { writeCitation } from './annotations.ts';
import { writeFinishReason } from './finish-reason.ts';
import { writeEncryptedReasoning, writeSignedReasoning } from './reasoning-details.ts';
import { writeUsage } from './usage.ts';
import { writeAnswerHead } from './write-stream.ts';

/** A complete answer. A choice that has no finish reason says `null`, as it is not known to be whole. */
export function writeAnswer(parts: readonly StreamPart[], identity: AnswerIdentity, receipt: Receipt): string {
  const drafts = new Map<number, Draft>();
  for (const part of parts) {
    if (!('choice' in part)) continue;
    let draft = drafts.get(part.choice);
    if (draft === undefined) drafts.set(part.choice, (draft = new Draft()));
    draft.add(part);
  }
  const choices = [...drafts].toSorted(([a], [b]) => a - b).map(([index, draft]) => draft.toChoice(index));
  const head = writeAnswerHead(identity, 'chat.completion');
  // Of a backend of OpenAI's own; some clients insist on the member.
  return `${head},"system_fingerprint":null,"choices":${JSON.stringify(choices)},"usage":${writeUsage(receipt)}}`;
}

type ChoicePart = Extract<StreamPart, { choice: number }>;

/** One choice while its parts are gathered. */
class Draft {
  #text = '';
  #refusal = '';
  #reasoning = '';
  /** Reasoning that no signature has closed yet. */
  #unsignedReasoning = '';
  readonly #details: JsonObject[] = [];
  readonly #calls: { id: string; name: string; arguments: string }[] = [];
  readonly #logprobs: { readonly content: JsonValue[]; readonly refusal: JsonValue[] } = { content: [], refusal: [] };
  readonly #annotations: JsonObject[] = [];
  #finishReason: string | null = null;

  add(part: ChoicePart): void {
    switch (part.type) {
      case 'text-delta':
        this.#text += part.text;
        break;
      case 'refusal-delta':
        this.#refusal += part.text;
        break;
      case 'reasoning-delta':
        this.#reasoning += part.text;
        this.#unsignedReasoning += part.text;
        break;
      case 'reasoning-signature':
        this.#details.push(writeSignedReasoning({ ...part, text: this.#unsignedReasoning }, this.#details.length));
        this.#unsignedReasoning = '';
        break;
      case 'redacted-reasoning':
        this.#details.push(writeEncryptedReasoning(part, this.#details.length));
        break;
      case 'tool-call-delta': {
        const call = (this.#calls[part.index] ??= { id: '', name: '', arguments: '' });
        call.id += part.id ?? '';
        call.name += part.name ?? '';
        call.arguments += part.arguments;
        break;
      }
      case 'logprobs':
        this.#logprobs[part.of === 'text' ? 'content' : 'refusal'].push(...part.tokens);
        break;
      case 'citation':
        this.#annotations.push(writeCitation(part));
        break;
      case 'finish':
        this.#finishReason = writeFinishReason(part.reason);
        break;
    }
  }

  toChoice(index: number): JsonObject {
    const toolCalls = this.#calls.map(({ id, ...call }) => ({ id, type: 'function', function: call }));
    return {
      index,
      message: {
        role: 'assistant',
        content: this.#text === '' && (toolCalls.length > 0 || this.#refusal !== '') ? null : this.#text,
        refusal: this.#refusal === '' ? null : this.#refusal,
        ...(this.#reasoning !== '' && { reasoning_content: this.#reasoning }),
        ...(this.#details.length > 0 && { reasoning_details: this.#allDetails() }),
        ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
        ...(this.#annotations.length > 0 && { annotations: this.#annotations }),
      },
      logprobs: this.#toLogprobs(),
      finish_reason: this.#finishReason,
    };
  }

  #toLogprobs(): JsonObject | null {
    const { content, refusal } = this.#logprobs;
    if (content.length + refusal.length === 0) return null;
    return { content: content.length > 0 ? content : null, refusal: refusal.length > 0 ? refusal : null };
  }

  /** The signed pieces, and what of the reasoning comes after the last of them. */
  #allDetails(): JsonObject[] {
    if (this.#unsignedReasoning === '') return this.#details;
    const rest = { signature: '', text: this.#unsignedReasoning };
    return [...this.#details, writeSignedReasoning(rest, this.#details.length)];
  }
}
