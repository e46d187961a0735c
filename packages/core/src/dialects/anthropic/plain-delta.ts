const CLOSING_BRACE = 0x7d;
const SPACE = 0x20;
const QUOTE = 0x22;

/** Up to its text, the data of a text or thinking delta as Anthropic itself writes it. */
export function plainDeltaStart(index: number, kind: 'text' | 'thinking'): string {
  return `{"type":"content_block_delta","index":${index},"delta":{"type":"${kind}_delta","${kind}":"`;
}

/**
 * The text of a delta whose data begins with `start`, for a fraction of what parsing it all costs; `undefined` when it
 * begins otherwise or anything but the end of the JSON follows its text: then it must be parsed.
 */
export function readPlainDelta(data: string, start: string): string | undefined {
  // A slice is compared four times as fast as `startsWith` does it.
  if (data.slice(0, start.length) !== start) return undefined;
  const textEnd = findClosingQuote(data);
  if (textEnd < start.length) return undefined;
  if (data.includes('\\', start.length)) return parseString(data.slice(start.length - 1, textEnd + 1));
  return data.indexOf('"', start.length) === textEnd ? data.slice(start.length, textEnd) : undefined;
}

/** Where the quote before the two closing braces stands, spaces apart; -1 when the end looks otherwise. */
function findClosingQuote(data: string): number {
  let braces = 0;
  for (let at = data.length - 1; at >= 0; at--) {
    const character = data.charCodeAt(at);
    if (character === CLOSING_BRACE) braces++;
    else if (character !== SPACE) return character === QUOTE && braces === 2 ? at : -1;
  }
  return -1;
}

function parseString(literal: string): string | undefined {
  try {
    const text: unknown = JSON.parse(literal);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined; // More members than one: left to the whole event's parsing.
  }
}
