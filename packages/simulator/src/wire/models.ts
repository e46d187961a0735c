import { PLAIN_ASK } from '../answer.ts';
import { anthropicWire } from './anthropic.ts';
import { openaiWire } from './openai.ts';
import { vllmWire } from './vllm.ts';
import { CREATED, type Wire } from './wire.ts';

const CONTEXT_TOKENS = 8_192;
const MODELS = [
  { id: 'sim-1', name: 'Simulated 1' },
  { id: 'sim-mini', name: 'Simulated Mini' },
  { id: 'sim-reasoner', name: 'Simulated Reasoner' },
];
const EMBEDDING_MODEL = { id: 'sim-embedding', name: 'Simulated Embedding' };

/** OpenAI's list of models. Source: https://platform.openai.com/docs/api-reference/models/list */
export const openaiModelsWire = toModelsWire(openaiWire, {
  object: 'list',
  data: [...MODELS, EMBEDDING_MODEL].map(({ id }) => ({
    id,
    object: 'model',
    created: CREATED,
    owned_by: 'simulator',
  })),
});

/** vLLM's list of models, which tells how long a prompt may be. */
export const vllmModelsWire = toModelsWire(vllmWire, {
  object: 'list',
  data: [...MODELS, EMBEDDING_MODEL].map(({ id }) => ({
    id,
    object: 'model',
    created: CREATED,
    owned_by: 'vllm',
    root: id,
    parent: null,
    max_model_len: CONTEXT_TOKENS,
    permission: [
      {
        id: `modelperm-${id}`,
        object: 'model_permission',
        created: CREATED,
        allow_create_engine: false,
        allow_sampling: true,
        allow_logprobs: true,
        allow_search_indices: false,
        allow_view: true,
        allow_fine_tuning: false,
        organization: '*',
        group: null,
        is_blocking: false,
      },
    ],
  })),
});

/** Anthropic's list of models. Source: https://docs.anthropic.com/en/api/models-list */
export const anthropicModelsWire = toModelsWire(anthropicWire, {
  data: MODELS.map(({ id, name }) => ({
    type: 'model',
    id,
    display_name: name,
    created_at: new Date(CREATED * 1_000).toISOString().replace('.000Z', 'Z'),
    max_input_tokens: CONTEXT_TOKENS,
    max_tokens: CONTEXT_TOKENS,
    capabilities: null,
  })),
  has_more: false,
  first_id: MODELS.at(0)?.id ?? null,
  last_id: MODELS.at(-1)?.id ?? null,
});

function toModelsWire(wire: Wire, list: unknown): Wire {
  return {
    ...wire,
    method: 'GET',
    route: 'models',
    readRequest: () => ({ ...PLAIN_ASK, model: '', lastUserText: '', promptCharacters: 0, request: {} }),
    writeAnswer: () => JSON.stringify(list),
  };
}
