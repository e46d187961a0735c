import { formatUsd, openaiDialect } from '@tokenhub/core';
import { costComment } from '../cost-comment.ts';
import { KEEP_ALIVE_COMMENT } from '../keep-alive.ts';
import type { Surface } from '../surface.ts';

const DONE = 'data: [DONE]\n\n';

/** `POST /v1/chat` as it is by default: the provider's native events, ended by `[DONE]` whoever serves. */
export const nativeChatSurface: Surface = createChatSurface('native');

/** `POST /v1/chat` for a caller that asked for OpenAI's events whoever serves. */
export const openaiChatSurface: Surface = createChatSurface(openaiDialect);

function createChatSurface(answerDialect: Surface['answerDialect']): Surface {
  return {
    name: 'chat',
    answerDialect,
    errorDialect: openaiDialect,
    keepAlive: KEEP_ALIVE_COMMENT,
    streamHeaders: (dialect) => ['X-TokenHub-Stream-Format', dialect.name],
    endStream: (dialectEnd, dialect, receipt) =>
      dialectEnd + (dialect === openaiDialect ? '' : DONE) + costComment(receipt, false),
    endBrokenStream: (receipt) => costComment(receipt, true),
    writeAnswer({ served, receipt, body }, { requestId, reason, attempts }) {
      const { model, provider } = served.candidate;
      const cost = formatUsd(receipt.cost.total);
      const members = [
        `"negotiated_model":${JSON.stringify(model.id)}`,
        // A number for compatibility; its digits are the exact ones.
        `"estimated_cost_usd":${cost}`,
        `"cost_usd":"${cost}"`,
        `"routing_reason":"${reason}"`,
        `"provider":${JSON.stringify(provider.id)}`,
        `"request_id":"${requestId}"`,
        `"attempts":${JSON.stringify(attempts)}`,
        // The provider's own text, not parsed again.
        `"response":${body}`,
      ];
      return `{${members.join(',')}}`;
    },
  };
}
