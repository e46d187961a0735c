import { isJsonObject, listOr, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { StreamPart } from '../../chat/stream-part.ts';
import { GatewayError } from '../../errors.ts';
import { readInlineError } from '../openai-errors/read-error.ts';
import { readFinishReason } from './finish-reason.ts';
import { nameOf, readEncrypted, textOf } from './reasoning-item.ts';
import { readUsage } from './usage.ts';

type Emit = (part: StreamPart) => void;

/**
 * A complete response as parts. Items of tools that the provider runs itself leave none.
 * @throws GatewayError `upstream_protocol` for an answer without output; what {@link readInlineError} makes of a failed one.
 */
export function readAnswer(response: JsonObject): StreamPart[] {
  const { error, output, status } = response;
  if (status === 'failed' || isJsonObject(error)) throw readInlineError(error ?? {});
  if (!Array.isArray(output))
    throw new GatewayError('upstream_protocol', 'The provider sent a response without output.');
  const parts: StreamPart[] = [{ type: 'start', ...readIdentity(response) }];
  const emit: Emit = (part) => parts.push(part);
  let calls = 0;
  for (const item of output as readonly JsonValue[]) {
    if (!isJsonObject(item)) continue;
    if (item['type'] === 'message') readMessage(item, emit);
    else if (item['type'] === 'reasoning') readReasoning(item, emit);
    else if (item['type'] === 'function_call') emit(readCall(item, calls++));
  }
  const usage = readUsage(response['usage']);
  if (usage !== undefined) emit({ type: 'usage', usage });
  if (status === 'completed' || status === 'incomplete' || status === undefined) {
    emit({ type: 'finish', choice: 0, reason: readFinishReason(response) });
  }
  return parts;
}

/** What the response calls itself. */
export function readIdentity({ id, model, created_at: created }: JsonObject): {
  id?: string;
  model?: string;
  created?: number;
} {
  return {
    ...(typeof id === 'string' && { id }),
    ...(typeof model === 'string' && { model }),
    ...(typeof created === 'number' && { created: Math.floor(created) }),
  };
}

function readMessage({ content }: JsonObject, emit: Emit): void {
  for (const part of listOr(content)) {
    if (!isJsonObject(part)) continue;
    const { type, text, refusal, logprobs, annotations } = part;
    if (type === 'output_text') {
      readLogprobs(logprobs, emit);
      if (typeof text === 'string' && text !== '') emit({ type: 'text-delta', choice: 0, text });
      for (const annotation of listOr(annotations)) readAnnotation(annotation, emit);
    } else if (type === 'refusal' && typeof refusal === 'string') {
      emit({ type: 'refusal-delta', choice: 0, text: refusal });
    }
  }
}

/** Log probabilities of a text, beside it or beside its deltas. */
export function readLogprobs(logprobs: JsonValue | undefined, emit: Emit): void {
  const tokens = listOr(logprobs).filter(isJsonObject).map(readToken);
  if (tokens.length > 0) emit({ type: 'logprobs', choice: 0, of: 'text', tokens });
}

/** Deltas leave the bytes out, which chat completions have always, be it as `null`. */
function readToken(token: JsonObject): JsonObject {
  const { top_logprobs: others } = token;
  return {
    bytes: null,
    ...token,
    ...(Array.isArray(others) && { top_logprobs: others.filter(isJsonObject).map(readToken) }),
  };
}

/** A page that the text refers to; references to a caller's files have no neutral words. */
export function readAnnotation(annotation: JsonValue | undefined, emit: Emit): void {
  if (!isJsonObject(annotation) || annotation['type'] !== 'url_citation') return;
  const { url, title, start_index: start, end_index: end } = annotation;
  if (typeof url !== 'string') return;
  emit({
    type: 'citation',
    choice: 0,
    url,
    ...(typeof title === 'string' && { title }),
    ...(typeof start === 'number' && { start }),
    ...(typeof end === 'number' && { end }),
  });
}

function readReasoning(item: JsonObject, emit: Emit): void {
  const text = textOf(item);
  if (text !== '') emit({ type: 'reasoning-delta', choice: 0, text });
  readProof(item, text !== '', emit);
}

/** The encrypted content of a reasoning item, whose text has gone before it. */
export function readProof(item: JsonObject, hasText: boolean, emit: Emit): void {
  const { encrypted_content: encrypted } = item;
  if (typeof encrypted !== 'string' || encrypted === '') return;
  const { kind, text, format } = readEncrypted(encrypted, hasText);
  const origin = format === undefined ? {} : { format, ...nameOf(item) };
  if (kind === 'signature') emit({ type: 'reasoning-signature', choice: 0, signature: text, ...origin });
  else emit({ type: 'redacted-reasoning', choice: 0, data: text, ...origin });
}

function readCall(item: JsonObject, index: number): StreamPart {
  const { call_id: id, name, arguments: text } = item;
  return {
    type: 'tool-call-delta',
    choice: 0,
    index,
    ...(typeof id === 'string' && { id }),
    ...(typeof name === 'string' && { name }),
    arguments: typeof text === 'string' ? text : '',
  };
}
