import type { Tool, ToolChoice } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonValue } from '../../chat/json.ts';
import { checkBoolean, checkList, checkName, checkObject, checkString, invalid } from './request-checks.ts';

/** Reads `tools`. Tools that are not functions have no neutral words. @throws GatewayError `invalid_parameter`. */
export function readTools(value: JsonValue, untranslatable: string[]): Tool[] {
  const tools: Tool[] = [];
  for (const [i, entry] of checkList({ path: 'tools', value }).entries()) {
    const path = `tools[${i}]`;
    const tool = checkObject({ path, value: entry });
    const type = checkString({ path: `${path}.type`, value: tool['type'] }, 'a string, as in "function"');
    if (type === 'function') tools.push(readFunction(tool['function'], `${path}.function`));
    else untranslatable.push(path);
  }
  return tools;
}

function readFunction(value: JsonValue | undefined, path: string): Tool {
  const { name, description, parameters, strict } = checkObject({ path, value });
  return {
    name: checkName({ path: `${path}.name`, value: name }),
    ...(isGiven(description) && {
      description: checkString({ path: `${path}.description`, value: description }),
    }),
    ...(isGiven(parameters) && { parameters: checkObject({ path: `${path}.parameters`, value: parameters }) }),
    ...(isGiven(strict) && { strict: checkBoolean({ path: `${path}.strict`, value: strict }) }),
  };
}

/** Reads `tool_choice`; `undefined` for one without neutral words. @throws GatewayError `invalid_parameter`. */
export function readToolChoice(value: JsonValue, untranslatable: string[]): ToolChoice | undefined {
  if (value === 'auto' || value === 'none' || value === 'required') return { type: value };
  // Mistral's word.
  if (value === 'any') return { type: 'required' };
  if (!isJsonObject(value)) {
    throw invalid('tool_choice', '"auto", "none", "required", or {"type":"function","function":{"name":"…"}}');
  }
  if (value['type'] !== 'function') {
    untranslatable.push('tool_choice');
    return undefined;
  }
  const { name } = checkObject({ path: 'tool_choice.function', value: value['function'] });
  return { type: 'tool', name: checkName({ path: 'tool_choice.function.name', value: name }) };
}

function isGiven(value: JsonValue | undefined): value is JsonValue {
  return value !== undefined && value !== null;
}
