import { isJsonObject, type JsonObject } from '../chat/json.ts';

/** The object that a JSON text holds; `undefined` for anything else. What is wrong is not told, since it would quote the text. */
export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
