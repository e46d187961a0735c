import type { Answer, Ask } from '../answer.ts';
import { createRandom } from '../words.ts';
import { obfuscation } from './obfuscation.ts';
import { toBegunResponse, toEndedResponse, toOutputItems, toTextLogprobs, type OutputItem } from './response-object.ts';
import type { StreamEvent } from './wire.ts';

interface ResponseEvent {
  readonly type: string;
  readonly [member: string]: unknown;
}

type Add = (kind: StreamEvent['kind'], event: ResponseEvent) => void;

/** The events of a streamed response in order. Its end carries the reason, so there is no terminator beside it. */
export function toResponseStream(answer: Answer, ask: Ask): StreamEvent[] {
  const events: StreamEvent[] = [];
  const random = createRandom(Number.parseInt(answer.id, 16));
  const add: Add = (kind, event) => {
    const isPadded = ask.obfuscation && event.type.endsWith('.delta');
    const padded = isPadded ? { ...event, obfuscation: obfuscation(random) } : event;
    events.push({ kind, text: spellResponseEvent(padded, events.length) });
  };
  const response = toBegunResponse(answer, ask);
  add('start', { type: 'response.created', response });
  add('start', { type: 'response.in_progress', response });
  for (const [index, item] of toOutputItems(answer, ask).entries()) addItem(add, item, { index, ask });
  const ended = toEndedResponse(answer, ask);
  add('finish', { type: `response.${String(ended['status'])}`, response: ended });
  return events;
}

/** The event as it stands in the stream; events are numbered from 0. */
export function spellResponseEvent({ type, ...rest }: ResponseEvent, sequenceNumber: number): string {
  const data = { type, sequence_number: sequenceNumber, ...rest };
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

function addItem(add: Add, item: OutputItem, { index, ask }: { index: number; ask: Ask }): void {
  const place = { item_id: item.id, output_index: index };
  const begun = { output_index: index, item: { ...item.whole, ...BEGUN[item.kind] } };
  // A call's name is a token.
  add(item.kind === 'call' ? 'content' : 'start', { type: 'response.output_item.added', ...begun });
  switch (item.kind) {
    case 'reasoning':
      addSummary(add, item.summary, place);
      break;
    case 'message':
      addText(add, item, { place, ask });
      break;
    case 'call': {
      const type = 'response.function_call_arguments';
      for (const delta of item.fragments) add('content', { type: `${type}.delta`, ...place, delta });
      add('start', { type: `${type}.done`, ...place, arguments: item.fragments.join(''), name: item.whole['name'] });
      break;
    }
  }
  add('start', { type: 'response.output_item.done', output_index: index, item: item.whole });
}

/** What is empty in an item that has just begun. */
const BEGUN = {
  reasoning: { summary: [] },
  message: { status: 'in_progress', content: [] },
  call: { status: 'in_progress', arguments: '' },
};

interface Place {
  readonly item_id: string;
  readonly output_index: number;
}

function addSummary(add: Add, summary: readonly string[], itemPlace: Place): void {
  if (summary.length === 0) return;
  const place = { ...itemPlace, summary_index: 0 };
  const text = summary.join('');
  const type = 'response.reasoning_summary';
  add('start', { type: `${type}_part.added`, ...place, part: { type: 'summary_text', text: '' } });
  for (const delta of summary) add('content', { type: `${type}_text.delta`, ...place, delta });
  add('start', { type: `${type}_text.done`, ...place, text });
  add('start', { type: `${type}_part.done`, ...place, part: { type: 'summary_text', text } });
}

function addText(
  add: Add,
  { part, text }: Extract<OutputItem, { kind: 'message' }>,
  { place: itemPlace, ask }: { place: Place; ask: Ask },
): void {
  const place = { ...itemPlace, content_index: 0 };
  const logprobs = toTextLogprobs(text, ask).map(({ bytes: _bytes, top_logprobs: top, ...said }) => ({
    ...said,
    top_logprobs: top.map(({ bytes: _topBytes, ...other }) => other),
  }));
  add('start', { type: 'response.content_part.added', ...place, part: { ...part, logprobs: [], text: '' } });
  for (const [at, delta] of text.entries()) {
    add('content', { type: 'response.output_text.delta', ...place, delta, logprobs: logprobs.slice(at, at + 1) });
  }
  add('start', { type: 'response.output_text.done', ...place, text: text.join(''), logprobs });
  add('start', { type: 'response.content_part.done', ...place, part });
}
