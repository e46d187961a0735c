export type {
  ChatMessage,
  ChatRequest,
  ContentPart,
  ReasoningRequest,
  TextPart,
  Tool,
  ToolCall,
  ToolChoice,
} from './chat/chat-request.ts';
export { isJsonObject } from './chat/json.ts';
export type { JsonObject, JsonValue } from './chat/json.ts';
export type { FinishReason, StreamPart } from './chat/stream-part.ts';
export type { ReportedUsage, TokenCounts } from './chat/usage.ts';
export type { Cost } from './cost/cost.ts';
export type { Price } from './cost/price.ts';
export type { Receipt } from './cost/receipt.ts';
export type {
  AnswerIdentity,
  Dialect,
  DialectName,
  ErrorAnswer,
  EventVerdict,
  Meter,
  RequestTarget,
  StreamFacts,
  StreamOptions,
  StreamReader,
  StreamWriter,
} from './dialects/dialect.ts';
export { ERRORS, GatewayError, isGatewayError } from './errors.ts';
export type { ErrorCode, ErrorFacts, GatewayErrorOptions } from './errors.ts';
export type { HttpAnswer, HttpClient, HttpRequest } from './providers/http-client.ts';
export type { Provider, ProviderCall } from './providers/provider.ts';
export type { Candidate, Model } from './router/candidate.ts';
