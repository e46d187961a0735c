import type { JsonObject } from '../../chat/json.ts';
import type { FinishReason, StreamPart } from '../../chat/stream-part.ts';
import type { Receipt } from '../../cost/receipt.ts';
import { GatewayError } from '../../errors.ts';
import { parseJsonObject } from '../../json/parse-json-object.ts';
import type { AnswerIdentity } from '../dialect.ts';
import { writeCitation } from './citations.ts';
import { toStopReason } from './finish-reason.ts';
import { markOrigin } from './signature.ts';
import { toUsageJson } from './usage.ts';

/** A content block while its parts are being gathered. */
type Block =
  | { readonly type: 'text'; text: string; citations?: JsonObject[] }
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
  const { blocks, stopReason, stopSequence } = gather(parts, identity);
  const head = JSON.stringify({
    id: `msg_${identity.requestId}`,
    type: 'message',
    role: 'assistant',
    model: identity.model,
  });
  const isCut = stopReason === 'max_tokens';
  const content = blocks.map((block) => toJson(block, isCut)).join(',');
  const tail = `"stop_reason":${JSON.stringify(stopReason)},"stop_sequence":${JSON.stringify(stopSequence)},"usage":${toUsageJson(receipt)}`;
  return `${head.slice(0, -1)},"content":[${content}],${tail}}`;
}

interface Gathered {
  readonly blocks: readonly Block[];
  readonly stopReason: string;
  readonly stopSequence: string | null;
}

function gather(parts: readonly StreamPart[], identity: AnswerIdentity): Gathered {
  const blocks: Block[] = [];
  const toolCalls = new Map<number, ToolUse>();
  let reason: FinishReason = { unified: 'other', raw: '' };
  let isRefusal = false;
  for (const part of parts) {
    switch (part.type) {
      case 'refusal-delta':
        isRefusal = true;
        addText(blocks, part.text);
        break;
      case 'text-delta':
        addText(blocks, part.text);
        break;
      case 'reasoning-delta':
        openThinking(blocks).thinking += part.text;
        break;
      case 'reasoning-signature':
        openThinking(blocks).signature = markOrigin(part.signature, part);
        break;
      case 'redacted-reasoning':
        blocks.push({ type: 'redacted_thinking', data: markOrigin(part.data, part) });
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
      case 'citation':
        addCitation(blocks, writeCitation(part));
        break;
      case 'start':
      case 'logprobs':
      case 'usage':
      case 'done':
      case 'error':
        break;
    }
  }
  const stopReason = toStopReason(reason, { isRefusal, hasToolCalls: toolCalls.size > 0 });
  return { blocks, stopReason, stopSequence: reason.stopSequence ?? null };
}

function addText(blocks: Block[], text: string): void {
  if (text === '') return;
  const last = blocks.at(-1);
  if (last?.type === 'text') last.text += text;
  else blocks.push({ type: 'text', text });
}

/** A page that is cited by the text before it. */
function addCitation(blocks: readonly Block[], citation: JsonObject): void {
  const text = blocks.findLast((block) => block.type === 'text');
  if (text !== undefined) (text.citations ??= []).push(citation);
}

/** The thinking block that is not signed yet, a new one if there is none. */
function openThinking(blocks: Block[]): Thinking {
  const last = blocks.at(-1);
  if (last?.type === 'thinking' && last.signature === '') return last;
  const opened: Thinking = { type: 'thinking', thinking: '', signature: '' };
  blocks.push(opened);
  return opened;
}

function toJson(block: Block, isCut: boolean): string {
  if (block.type !== 'tool_use') return JSON.stringify(block);
  const { type, id, name } = block;
  // The model's own text, since parsing and writing it again would round its large numbers.
  return `${JSON.stringify({ type, id, name }).slice(0, -1)},"input":${checkInput(block.arguments, isCut)}}`;
}

/** Arguments that the bound on the answer has cut off are none; the reason why it ended says so. */
function checkInput(text: string, isCut: boolean): string {
  if (text === '') return '{}';
  if (parseJsonObject(text) !== undefined) return text;
  if (isCut) return '{}';
  throw new GatewayError('upstream_protocol', 'The model called a tool with arguments that are not a JSON object.');
}
