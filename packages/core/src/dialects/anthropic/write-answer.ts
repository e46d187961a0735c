import { isJsonObject } from '../../chat/json.ts';
import type { FinishReason, StreamPart } from '../../chat/stream-part.ts';
import type { Receipt } from '../../cost/receipt.ts';
import { GatewayError } from '../../errors.ts';
import type { AnswerIdentity } from '../dialect.ts';
import { toStopReason } from './finish-reason.ts';
import { toUsageJson } from './usage.ts';

/** A content block while its parts are being gathered. */
type Block =
  | { readonly type: 'text'; text: string }
  | { readonly type: 'thinking'; thinking: string; signature: string }
  | { readonly type: 'redacted_thinking'; readonly data: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; arguments: string };

type Thinking = Block & { readonly type: 'thinking' };
type ToolUse = Block & { readonly type: 'tool_use' };

/**
 * Parts as one complete answer.
 * @throws GatewayError `upstream_protocol` for tool arguments that are not a JSON object, which this format cannot hold.
 */
export function writeAnswer(parts: readonly StreamPart[], identity: AnswerIdentity, receipt: Receipt): string {
  const { blocks, stopReason } = gather(parts, identity);
  const head = JSON.stringify({
    id: `msg_${identity.requestId}`,
    type: 'message',
    role: 'assistant',
    model: identity.model,
  });
  const content = blocks.map(toJson).join(',');
  const tail = `"stop_reason":${JSON.stringify(stopReason)},"stop_sequence":null,"usage":${toUsageJson(receipt)}`;
  return `${head.slice(0, -1)},"content":[${content}],${tail}}`;
}

function gather(parts: readonly StreamPart[], identity: AnswerIdentity): { blocks: Block[]; stopReason: string } {
  const blocks: Block[] = [];
  const toolCalls = new Map<number, ToolUse>();
  let reason: FinishReason = { unified: 'other', raw: '' };
  let refused = false;
  for (const part of parts) {
    switch (part.type) {
      case 'refusal-delta':
        refused = true;
        addText(blocks, part.text);
        break;
      case 'text-delta':
        addText(blocks, part.text);
        break;
      case 'reasoning-delta':
        openThinking(blocks).thinking += part.text;
        break;
      case 'reasoning-signature':
        openThinking(blocks).signature = part.signature;
        break;
      case 'redacted-reasoning':
        blocks.push({ type: 'redacted_thinking', data: part.data });
        break;
      case 'tool-call-delta': {
        let call = toolCalls.get(part.index);
        if (call === undefined) {
          const id = part.id ?? `toolu_${identity.requestId}_${part.index}`;
          call = { type: 'tool_use', id, name: part.name ?? '', arguments: '' };
          toolCalls.set(part.index, call);
          blocks.push(call);
        }
        call.arguments += part.arguments;
        break;
      }
      case 'finish':
        reason = part.reason;
        break;
      case 'start':
      case 'usage':
      case 'done':
      case 'error':
        break;
    }
  }
  return { blocks, stopReason: refused && reason.unified === 'stop' ? 'refusal' : toStopReason(reason) };
}

function addText(blocks: Block[], text: string): void {
  if (text === '') return;
  const last = blocks.at(-1);
  if (last?.type === 'text') last.text += text;
  else blocks.push({ type: 'text', text });
}

/** The thinking block that is not signed yet, a new one if there is none. */
function openThinking(blocks: Block[]): Thinking {
  const last = blocks.at(-1);
  if (last?.type === 'thinking' && last.signature === '') return last;
  const opened: Thinking = { type: 'thinking', thinking: '', signature: '' };
  blocks.push(opened);
  return opened;
}

function toJson(block: Block): string {
  if (block.type !== 'tool_use') return JSON.stringify(block);
  const { type, id, name } = block;
  // The model's own text, since parsing and writing it again would round its large numbers.
  return `${JSON.stringify({ type, id, name }).slice(0, -1)},"input":${checkInput(block.arguments)}}`;
}

function checkInput(text: string): string {
  if (text === '') return '{}';
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    // The parser's own message would quote the answer.
  }
  if (isJsonObject(input)) return text;
  throw new GatewayError('upstream_protocol', 'The model called a tool with arguments that are not a JSON object.');
}
