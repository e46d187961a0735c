import type { StreamPart } from '../../../chat/stream-part.ts';
import type { ReportedUsage } from '../../../chat/usage.ts';
import type { GatewayError } from '../../../errors.ts';
import { createSseParser } from '../../../sse/parse-sse.ts';
import { createStreamReader } from '../read-stream.ts';

export interface AccumulatedChoice {
  text: string;
  reasoning: string;
  refusal: string;
  toolCalls: { index: number; id: string | undefined; name: string | undefined; arguments: string }[];
  finishReason: string | undefined;
}

export interface Accumulated {
  choices: Map<number, AccumulatedChoice>;
  usage: ReportedUsage | undefined;
  errors: GatewayError[];
  done: boolean;
}

/** All parts of a stream of the OpenAI dialect. */
export function readParts(stream: Uint8Array): StreamPart[] {
  const parts: StreamPart[] = [];
  const reader = createStreamReader();
  const parser = createSseParser({
    onEvent: (event) => reader.read(event.event, event.data, (part) => parts.push(part)),
  });
  parser.push(stream);
  return parts;
}

/** What a client would put together from the parts. */
export function accumulate(parts: readonly StreamPart[]): Accumulated {
  const all: Accumulated = { choices: new Map(), usage: undefined, errors: [], done: false };
  for (const part of parts) {
    if (part.type === 'usage') all.usage = part.usage;
    else if (part.type === 'error') all.errors.push(part.error);
    else if (part.type === 'done') all.done = true;
    else if (part.type !== 'start') addToChoice(choiceOf(all, part.choice), part);
  }
  return all;
}

function choiceOf(all: Accumulated, index: number): AccumulatedChoice {
  let choice = all.choices.get(index);
  if (choice === undefined) {
    choice = { text: '', reasoning: '', refusal: '', toolCalls: [], finishReason: undefined };
    all.choices.set(index, choice);
  }
  return choice;
}

function addToChoice(choice: AccumulatedChoice, part: Extract<StreamPart, { choice: number }>): void {
  if (part.type === 'text-delta') choice.text += part.text;
  else if (part.type === 'reasoning-delta') choice.reasoning += part.text;
  else if (part.type === 'refusal-delta') choice.refusal += part.text;
  else if (part.type === 'finish') choice.finishReason ??= part.reason.raw;
  else if (part.type === 'tool-call-delta') {
    const { index, id, name } = part;
    const call = (choice.toolCalls[index] ??= { index, id: undefined, name: undefined, arguments: '' });
    call.id ??= id;
    call.name ??= name;
    call.arguments += part.arguments;
  }
}

/** The events of a stream, each with its blank line. What follows the last blank line is an event too. */
export function splitEvents(stream: Uint8Array): Uint8Array[] {
  const text = new TextDecoder('latin1').decode(stream);
  const events: Uint8Array[] = [];
  let start = 0;
  for (const border of text.matchAll(/\r\n\r\n|\n\n|\r\r/g)) {
    const end = border.index + border[0].length;
    events.push(stream.slice(start, end));
    start = end;
  }
  if (start < stream.length) events.push(stream.slice(start));
  return events;
}
