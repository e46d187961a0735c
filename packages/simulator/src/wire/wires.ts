import { anthropicWire } from './anthropic.ts';
import { countTokensWire } from './count-tokens.ts';
import { openaiEmbeddingsWire, vllmEmbeddingsWire } from './embeddings.ts';
import { anthropicModelsWire, openaiModelsWire, vllmModelsWire } from './models.ts';
import { openaiWire } from './openai.ts';
import { responsesWire } from './responses.ts';
import { vllmWire } from './vllm.ts';
import type { Wire, WireName } from './wire.ts';

/** The wire of each provider's answers in chat; whatever route was asked for, errors look like its errors. */
export const CHAT_WIRES: Readonly<Record<WireName, Wire>> = {
  openai: openaiWire,
  vllm: vllmWire,
  anthropic: anthropicWire,
};

/** Every route of every provider. */
export const WIRES: readonly Wire[] = [
  ...Object.values(CHAT_WIRES),
  responsesWire,
  openaiEmbeddingsWire,
  vllmEmbeddingsWire,
  countTokensWire,
  openaiModelsWire,
  vllmModelsWire,
  anthropicModelsWire,
];
