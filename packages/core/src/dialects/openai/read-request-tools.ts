import type { Tool, ToolChoice } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { isGiven, type RequestReading } from '../request-reading.ts';

/** What a tool is where it says nothing of that: known to the model from the start. */
const DEFAULTS: JsonObject = { defer_loading: false };

/** Reads `tools`. Tools that are not functions have no neutral words. @throws GatewayError `invalid_parameter`. */
export function readTools(value: JsonValue, reading: RequestReading): Tool[] {
  const tools: Tool[] = [];
  for (const [i, entry] of reading.list(value, 'tools').entries()) {
    const path = `tools[${i}]`;
    const { type, function: called, cache_control: mark, ...rest } = reading.object(entry, path);
    if (reading.text(type, `${path}.type`, 'must be a string, as in "function"') !== 'function') {
      reading.lose(path);
      continue;
    }
    reading.rest(rest, path, DEFAULTS);
    // Beside the function, as OpenRouter has it, or inside, as LiteLLM.
    const cache = reading.cacheMark(mark, `${path}.cache_control`);
    const read = readFunction(called, `${path}.function`, reading);
    tools.push(cache === undefined ? read : { ...read, cache });
  }
  return tools;
}

function readFunction(value: JsonValue | undefined, path: string, reading: RequestReading): Tool {
  const { name, description, parameters, strict, cache_control: mark, ...rest } = reading.object(value, path);
  reading.rest(rest, path, DEFAULTS);
  const cache = reading.cacheMark(mark, `${path}.cache_control`);
  return {
    name: reading.name(name, `${path}.name`),
    ...(isGiven(description) && { description: reading.text(description, `${path}.description`) }),
    ...(isGiven(parameters) && { parameters: reading.object(parameters, `${path}.parameters`) }),
    ...(isGiven(strict) && { strict: reading.boolean(strict, `${path}.strict`) }),
    ...(cache !== undefined && { cache }),
  };
}

/** Reads `tool_choice`; `undefined` for one without neutral words. @throws GatewayError `invalid_parameter`. */
export function readToolChoice(value: JsonValue, reading: RequestReading): ToolChoice | undefined {
  if (value === 'auto' || value === 'none' || value === 'required') return { type: value };
  // Mistral's word.
  if (value === 'any') return { type: 'required' };
  if (!isJsonObject(value)) {
    const rule = 'must be "auto", "none", "required", or {"type":"function","function":{"name":"…"}}';
    throw reading.invalid('tool_choice', rule);
  }
  if (value['type'] !== 'function') {
    reading.lose('tool_choice');
    return undefined;
  }
  const { name } = reading.object(value['function'], 'tool_choice.function');
  return { type: 'tool', name: reading.name(name, 'tool_choice.function.name') };
}
