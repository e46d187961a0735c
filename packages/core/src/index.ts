export type {
  CacheMark,
  ChatMessage,
  ChatRequest,
  ContentPart,
  DocumentPart,
  ImagePart,
  Loss,
  MediaSource,
  OpenaiMembers,
  ReasoningFormat,
  ReasoningPart,
  ReasoningRequest,
  RequestSource,
  ResponseFormat,
  TextPart,
  Tool,
  ToolCall,
  ToolChoice,
} from './chat/chat-request.ts';
export { isJsonObject } from './chat/json.ts';
export type { JsonObject, JsonValue } from './chat/json.ts';
export type { FinishReason, ReasoningOrigin, StreamPart } from './chat/stream-part.ts';
export type { ReportedUsage, TokenCounts } from './chat/usage.ts';
export type { Attempt } from './completion/attempt.ts';
export type { CompleteAnswer } from './completion/fetch-answer.ts';
export { countTokens } from './completion/count-tokens.ts';
export type { CountTokensOptions, TokenCount } from './completion/count-tokens.ts';
export { openCompletion } from './completion/open-completion.ts';
export type { Completion, OpenCompletionOptions } from './completion/open-completion.ts';
export { createRetryBudget } from './completion/retry-budget.ts';
export type { RetryBudget } from './completion/retry-budget.ts';
export type { OpenStream } from './completion/open-stream.ts';
export { whyLost, writeFor } from './completion/write-for.ts';
export type { Output } from './completion/stream-converter.ts';
export { createBill } from './cost/bill.ts';
export type { Bill, BilledModel, Use } from './cost/bill.ts';
export { boundCost, computeCost, estimateCost } from './cost/cost.ts';
export type { Cost, CostByKind } from './cost/cost.ts';
export { estimateInput } from './cost/estimate-tokens.ts';
export type { InputEstimate } from './cost/estimate-tokens.ts';
export { formatCosts } from './cost/format-costs.ts';
export { formatPerToken } from './cost/format-per-token.ts';
export { formatUsd } from './cost/format-usd.ts';
export { FREE, parsePrice } from './cost/parse-price.ts';
export type { PriceFigures, PriceTierFigures, RateFigures } from './cost/parse-price.ts';
export { parseUsd } from './cost/parse-usd.ts';
export type { Price, PriceTier, Rates } from './cost/price.ts';
export { createReceipt, NOTHING_USED } from './cost/receipt.ts';
export type { Receipt } from './cost/receipt.ts';
export { settleUsage } from './cost/settle-usage.ts';
export type { SettledUsage, UsageEvidence } from './cost/settle-usage.ts';
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
  WrittenRequest,
} from './dialects/dialect.ts';
export { PROMPT_TOO_LONG } from './dialects/prompt-too-long.ts';
export type { Quirks } from './dialects/quirks.ts';
export { anthropicDialect } from './dialects/anthropic/anthropic-dialect.ts';
export { embeddingsDialect } from './dialects/embeddings/embeddings-dialect.ts';
export { longestInputTokens } from './dialects/embeddings/longest-input.ts';
export { responsesDialect } from './dialects/responses/responses-dialect.ts';
export { openaiDialect } from './dialects/openai/openai-dialect.ts';
export { ERRORS, GatewayError, isGatewayError } from './errors.ts';
export type { ErrorCode, ErrorFacts, ExceededQuota, GatewayErrorOptions } from './errors.ts';
export type { HttpAnswer, HttpClient, HttpRequest } from './providers/http-client.ts';
export { createAnthropic } from './providers/anthropic.ts';
export { createProvider } from './providers/create-provider.ts';
export type { PresetOptions } from './providers/create-provider.ts';
export { createCredential, staticCredential } from './providers/credential.ts';
export type { Credential, CredentialOptions, Secret } from './providers/credential.ts';
export { createOpenai } from './providers/openai.ts';
export { API_NAMES } from './providers/preset.ts';
export type { ApiName, Preset } from './providers/preset.ts';
export { PRESET_NAMES, PRESETS } from './providers/presets.ts';
export type { PresetName } from './providers/presets.ts';
export { createVllm } from './providers/vllm.ts';
export { endpointFor } from './providers/provider.ts';
export type { Endpoint, Provider, ProviderCall, ProviderOptions, ProviderTimeouts } from './providers/provider.ts';
export type { Candidate, Model, ModelKind } from './router/candidate.ts';
export type { Demands, ExclusionReason } from './router/eligible.ts';
export { createHealth } from './router/health.ts';
export type { HealthNews, HealthPeers } from './router/health-peers.ts';
export type { BreakerState } from './router/breaker.ts';
export type { DeploymentHealth, Health, HealthOptions, HealthReader } from './router/health.ts';
export { rank } from './router/rank.ts';
export type { ExcludedCandidate, RankedCandidate, Ranking, RankRequest } from './router/rank.ts';
export { findRoutingReason } from './router/reason.ts';
export type { FailedAttempt, RoutingReason, RoutingStory } from './router/reason.ts';
export { MODE_WEIGHTS } from './router/score.ts';
export type { RoutingMode, ScoreTerms } from './router/score.ts';
export { encodeComment, encodeEvent } from './sse/encode-sse.ts';
export type { SseLimits } from './sse/limits.ts';
export { createSseParser } from './sse/parse-sse.ts';
export type { SseEvent, SseParser, SseParserOptions } from './sse/parse-sse.ts';
export { parseSseStream } from './sse/parse-sse-stream.ts';
export { createEventSplitter } from './sse/split-events.ts';
export type { EventSplitter, WholeEvents } from './sse/split-events.ts';
