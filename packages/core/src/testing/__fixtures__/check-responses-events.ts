import { expect } from 'vitest';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { parseEvents, parseJsonEvents } from './parse-events.ts';

/** What the events said of one item. */
interface SaidItem {
  readonly type: JsonValue | undefined;
  readonly id: JsonValue | undefined;
  /** By part, for those who have parts. */
  readonly texts: string[];
}

/** Events are numbered without gaps, items begin and end once, and the last event repeats what was said. */
export function checkResponsesEvents(stream: string): void {
  const events = parseJsonEvents(stream);
  expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, i) => i));
  expect(parseEvents(stream).map(({ event }) => event)).toEqual(events.map(({ type }) => type));
  expect(events.slice(0, 2).map(({ type }) => type)).toEqual(['response.created', 'response.in_progress']);
  const items: SaidItem[] = [];
  const open = new Set<number>();
  const done: JsonValue[] = [];
  for (const event of events) {
    const place = event['output_index'];
    if (typeof place !== 'number') continue;
    if (event['type'] === 'response.output_item.added') {
      expect(place).toBe(items.length);
      const item = objectOf(event['item']);
      items.push({ type: item['type'], id: item['id'], texts: [] });
      open.add(place);
      continue;
    }
    expect(open).toContain(place);
    if (event['type'] === 'response.output_item.done') {
      open.delete(place);
      done[place] = event['item'] ?? null;
    } else note(items[place], event);
  }
  expect(open.size).toBe(0);
  const { output } = objectOf(events.at(-1)?.['response']);
  expect(output).toEqual(done);
  expect(done.map((item) => saidBy(objectOf(item)))).toEqual(items);
}

function note(item: SaidItem | undefined, { type, ...event }: JsonObject): void {
  if (item === undefined || typeof type !== 'string') return;
  const part = Number(event['content_index'] ?? event['summary_index'] ?? 0);
  if ('item_id' in event) expect(event['item_id']).toBe(item.id);
  if (type.endsWith('_part.added')) {
    expect(part).toBe(item.texts.length);
    item.texts.push('');
  } else if (type.endsWith('.delta')) {
    item.texts[part] = `${item.texts[part] ?? ''}${textOf(event['delta'])}`;
  } else if (type.endsWith('.done') && !type.endsWith('_part.done')) {
    expect(event['text'] ?? event['refusal'] ?? event['arguments']).toBe(item.texts[part] ?? '');
  }
}

function saidBy(item: JsonObject): SaidItem {
  const { type, id, arguments: text, content, summary } = item;
  if (typeof text === 'string') return { type, id, texts: [text] };
  const parts: readonly JsonValue[] = Array.isArray(content) ? content : Array.isArray(summary) ? summary : [];
  return { type, id, texts: parts.map(objectOf).map((part) => textOf(part['text'] ?? part['refusal'])) };
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
