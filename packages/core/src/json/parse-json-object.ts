import { isJsonObject, type JsonObject } from '../chat/json.ts';

// What TypeScript does not know yet of https://tc39.es/proposal-json-parse-with-source/, which is ES2026.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
const json = JSON as unknown as {
  parse(text: string, reviver: (name: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
};

/** Where a whole number may be one that no double holds; it may also stand in a string, which costs time only. */
const LONG_NUMBER = /[:[,]\s*-?\d{16}/;

/** The object that a JSON text holds; `undefined` for anything else. What is wrong is not told, since it would quote the text. */
export function parseJsonObject(text: string): JsonObject | undefined {
  return parseObject(text, JSON.parse);
}

/**
 * The same for what `JSON.stringify` writes again: whole numbers beyond 2^53 keep their digits. They are not numbers but
 * raw JSON, which nothing but `JSON.stringify` can read.
 */
export function parseExactJsonObject(text: string): JsonObject | undefined {
  return parseObject(text, LONG_NUMBER.test(text) ? parseExactly : JSON.parse);
}

function parseObject(text: string, parse: (text: string) => unknown): JsonObject | undefined {
  try {
    const value = parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function parseExactly(text: string): unknown {
  return json.parse(text, (_name, value, { source }) =>
    Number.isInteger(value) && !Number.isSafeInteger(value) && source !== undefined ? json.rawJSON(source) : value,
  );
}
