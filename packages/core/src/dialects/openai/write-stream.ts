import type { JsonObject } from '../../chat/json.ts';
import { quoteText } from '../../json/quote-text.ts';
import type { AnswerIdentity, StreamOptions, StreamWriter } from '../dialect.ts';
import { writeFinishReason } from './finish-reason.ts';
import { writeEncryptedReasoning, writeSignedReasoning } from './reasoning-details.ts';
import { writeUsage } from './usage.ts';
import { writeCitation } from './annotations.ts';

/** Ends a good stream. */
export const TERMINATOR = 'data: [DONE]\n\n';

const AFTER_DELTA = '},"logprobs":null,"finish_reason":null}]}\n\n';

/**
 * Writes chunks. All that is alike in the chunks of a stream is written once, at the start; a text costs its own
 * quoting and nothing else.
 */
export function createStreamWriter(
  identity: AnswerIdentity,
  { includeUsage }: Pick<StreamOptions, 'includeUsage'>,
): StreamWriter {
  const head = `data: ${writeAnswerHead(identity, 'chat.completion.chunk')},"choices":[`;
  /** By choice, once its role was said: all that stands before a delta's members. */
  const deltaHeads: string[] = [];
  let reasoningDetails = 0;

  function writeDelta(choice: number, members: string): string {
    const deltaHead = deltaHeads[choice];
    if (deltaHead !== undefined) return deltaHead + members + AFTER_DELTA;
    // Joined, because that gives one flat string, while pieces put together would be copied one by one in every chunk.
    const firstHead = [head, '{"index":', choice, ',"delta":{'].join('');
    deltaHeads[choice] = firstHead;
    return `${firstHead}"role":"assistant",${members}${AFTER_DELTA}`;
  }

  function writeReasoningDetail(choice: number, detail: JsonObject): string {
    reasoningDetails++;
    return writeDelta(choice, `"reasoning_details":[${JSON.stringify(detail)}]`);
  }

  return {
    write(part) {
      switch (part.type) {
        case 'text-delta':
          return writeDelta(part.choice, `"content":${quoteText(part.text)}`);
        case 'reasoning-delta':
          return writeDelta(part.choice, `"reasoning_content":${quoteText(part.text)}`);
        case 'refusal-delta':
          return writeDelta(part.choice, `"refusal":${quoteText(part.text)}`);
        case 'reasoning-signature':
          return writeReasoningDetail(part.choice, writeSignedReasoning(part, reasoningDetails));
        case 'redacted-reasoning':
          return writeReasoningDetail(part.choice, writeEncryptedReasoning(part, reasoningDetails));
        case 'logprobs': {
          const logprobs = JSON.stringify({ [part.of === 'text' ? 'content' : 'refusal']: part.tokens });
          return `${head}{"index":${part.choice},"delta":{},"logprobs":${logprobs},"finish_reason":null}]}\n\n`;
        }
        case 'citation':
          return writeDelta(part.choice, `"annotations":[${JSON.stringify(writeCitation(part))}]`);
        case 'tool-call-delta': {
          const { index, id, name } = part;
          const call = {
            index,
            ...(id !== undefined && { id, type: 'function' }),
            function: { name, arguments: part.arguments },
          };
          return writeDelta(part.choice, `"tool_calls":[${JSON.stringify(call)}]`);
        }
        case 'finish': {
          // Of an answer that says nothing official clients still want to know who says it.
          const role = deltaHeads[part.choice] === undefined ? '"role":"assistant"' : '';
          const reason = JSON.stringify(writeFinishReason(part.reason));
          return `${head}{"index":${part.choice},"delta":{${role}},"logprobs":null,"finish_reason":${reason}}]}\n\n`;
        }
        // Who the answer is from is our identity; usage comes from the receipt, at the end; errors end a stream elsewhere.
        case 'start':
        case 'usage':
        case 'done':
        case 'error':
          break;
      }
      return '';
    },
    end(receipt) {
      return (includeUsage ? `${head}],"usage":${writeUsage(receipt)}}\n\n` : '') + TERMINATOR;
    },
  };
}

/** The opening of an answer's JSON, without closing brace: who it is and when. */
export function writeAnswerHead({ requestId, created, model }: AnswerIdentity, object: string): string {
  return JSON.stringify({ id: `chatcmpl-${requestId}`, object, created, model }).slice(0, -1);
}
