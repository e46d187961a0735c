import type { Preset } from './preset.ts';

/** The providers that there are presets for. */
export const PRESET_NAMES = [
  'openai',
  'azure-openai',
  'anthropic',
  'vllm',
  'deepseek',
  'mistral',
  'groq',
  'xai',
  'openrouter',
  'together',
  'fireworks',
  'ollama',
  'llamacpp',
  'nvidia-nim',
] as const;

/** The name of a preset. */
export type PresetName = (typeof PRESET_NAMES)[number];

/** What is known of each provider. A new one is an entry here and a name in {@link PRESET_NAMES}. */
export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  openai: {
    baseUrl: 'https://api.openai.com/v1',
    needsKey: true,
    keyHeader: 'authorization',
    apis: ['chat', 'responses', 'embeddings'],
    priceList: 'openai',
    docs: 'https://platform.openai.com/docs/api-reference',
  },
  // Each resource has its own address: https://NAME.openai.azure.com/openai/v1
  'azure-openai': {
    needsKey: true,
    keyHeader: 'api-key',
    apis: ['chat', 'responses', 'embeddings'],
    priceList: 'azure',
    docs: 'https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle',
  },
  anthropic: {
    baseUrl: 'https://api.anthropic.com',
    hasVersionInPaths: true,
    needsKey: true,
    keyHeader: 'x-api-key',
    countsTokens: true,
    apis: ['messages'],
    priceList: 'anthropic',
    docs: 'https://docs.anthropic.com/en/api/messages',
  },
  // It has `responses` and `messages` too, which are for the configuration to name: older versions have neither, and many
  // another server is configured as a vLLM. A 404 for one API would take the deployment from the callers of all.
  vllm: {
    needsKey: false,
    keyHeader: 'authorization',
    apis: ['chat', 'embeddings'],
    quirks: { topK: true, bareReasoning: true, reasoningBack: 'reasoning' },
    docs: 'https://docs.vllm.ai/en/stable/serving/openai_compatible_server.html',
  },
  deepseek: {
    baseUrl: 'https://api.deepseek.com/v1',
    needsKey: true,
    keyHeader: 'authorization',
    apis: ['chat', 'messages'],
    paths: { messages: '../anthropic/v1/messages' },
    quirks: { maxTokensMember: 'max_tokens', reasoningMember: 'thinking', reasoningBack: 'reasoning_content' },
    priceList: 'deepseek',
    docs: 'https://api-docs.deepseek.com/api/create-chat-completion',
  },
  // Its API refuses every member that it does not know.
  mistral: {
    baseUrl: 'https://api.mistral.ai/v1',
    needsKey: true,
    keyHeader: 'authorization',
    apis: ['chat', 'embeddings'],
    quirks: {
      maxTokensMember: 'max_tokens',
      noStreamOptions: true,
      requiredToolChoice: 'any',
      shortToolCallIds: true,
      bareToolCalls: true,
      contentParts: true,
      documentUrl: true,
      refused: [
        'user',
        'safety_identifier',
        'store',
        'seed',
        'logit_bias',
        'logprobs',
        'top_logprobs',
        'top_k',
        'verbosity',
        'prompt_cache_retention',
        'prompt_cache_options',
      ],
    },
    priceList: 'mistral',
    docs: 'https://docs.mistral.ai/api/endpoint/chat',
  },
  groq: {
    baseUrl: 'https://api.groq.com/openai/v1',
    needsKey: true,
    keyHeader: 'authorization',
    apis: ['chat', 'responses'],
    quirks: {
      bareReasoning: true,
      reasoningBack: 'reasoning',
      refused: ['n', 'logprobs', 'top_logprobs', 'reasoning_content'],
    },
    priceList: 'groq',
    docs: 'https://console.groq.com/docs/openai',
  },
  xai: {
    baseUrl: 'https://api.x.ai/v1',
    needsKey: true,
    keyHeader: 'authorization',
    apis: ['chat', 'responses'],
    priceList: 'x-ai',
    docs: 'https://docs.x.ai/docs/api-reference',
  },
  openrouter: {
    baseUrl: 'https://openrouter.ai/api/v1',
    needsKey: true,
    keyHeader: 'authorization',
    apis: ['chat', 'responses', 'messages', 'embeddings'],
    quirks: {
      bareReasoning: true,
      reasoningMember: 'reasoning',
      reasoningBack: 'reasoning_details',
      cacheControl: true,
      topK: true,
    },
    priceList: 'openrouter',
    docs: 'https://openrouter.ai/docs/api/reference/overview',
  },
  // Its `logprobs` is a number.
  together: {
    baseUrl: 'https://api.together.xyz/v1',
    needsKey: true,
    keyHeader: 'authorization',
    apis: ['chat', 'embeddings'],
    quirks: { maxTokensMember: 'max_tokens', bareReasoning: true, topK: true, refused: ['logprobs', 'top_logprobs'] },
    priceList: 'together',
    docs: 'https://docs.together.ai/reference/chat-completions',
  },
  fireworks: {
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    needsKey: true,
    keyHeader: 'authorization',
    apis: ['chat', 'embeddings'],
    quirks: {
      maxTokensMember: 'max_tokens',
      topK: true,
      reasoningBack: 'reasoning_content',
      refused: ['verbosity', 'prompt_cache_retention', 'prompt_cache_options'],
    },
    priceList: 'fireworks',
    docs: 'https://docs.fireworks.ai/api-reference/post-chatcompletions',
  },
  ollama: {
    baseUrl: 'http://localhost:11434/v1',
    needsKey: false,
    keyHeader: 'authorization',
    apis: ['chat', 'messages', 'embeddings'],
    quirks: { maxTokensMember: 'max_tokens', bareReasoning: true, reasoningBack: 'reasoning' },
    docs: 'https://docs.ollama.com/api/openai-compatibility',
  },
  llamacpp: {
    baseUrl: 'http://localhost:8080/v1',
    needsKey: false,
    keyHeader: 'authorization',
    apis: ['chat', 'messages', 'embeddings'],
    quirks: { maxTokensMember: 'max_tokens', topK: true, reasoningBack: 'reasoning_content' },
    docs: 'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md',
  },
  // A NIM of one's own needs no key; NVIDIA's public address does.
  'nvidia-nim': {
    baseUrl: 'https://integrate.api.nvidia.com/v1',
    needsKey: false,
    keyHeader: 'authorization',
    apis: ['chat', 'embeddings'],
    quirks: { maxTokensMember: 'max_tokens' },
    docs: 'https://docs.nvidia.com/nim/large-language-models/latest/reference/api-reference.html',
  },
};
