import { aiSdkAnthropic } from './ai-sdk-anthropic.ts';
import { aiSdkOpenaiChat } from './ai-sdk-openai-chat.ts';
import { aiSdkOpenaiCompatible } from './ai-sdk-openai-compatible.ts';
import { aiSdkOpenaiResponses } from './ai-sdk-openai-responses.ts';
import { anthropic } from './anthropic.ts';
import type { Client } from './client.ts';
import { langchainChat, langchainResponses } from './langchain.ts';
import { mistral } from './mistral.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiResponses } from './openai-responses.ts';
import { openrouter } from './openrouter.ts';

export const CLIENTS: readonly Client[] = [
  openaiChat,
  openaiResponses,
  anthropic,
  aiSdkOpenaiChat,
  aiSdkOpenaiResponses,
  aiSdkOpenaiCompatible,
  aiSdkAnthropic,
  langchainChat,
  langchainResponses,
  mistral,
  openrouter,
];
