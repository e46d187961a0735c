import type { ServerResponse } from 'node:http';
import type { KeyConfig } from '@tokenhub/config';
import {
  createBill,
  encodeComment,
  estimateInput,
  GatewayError,
  isGatewayError,
  openCompletion,
  type ChatRequest,
  type CompleteAnswer,
  type Completion,
  type Health,
  type Loss,
  type OpenStream,
  type RetryBudget,
} from '@tokenhub/core';
import { answerError, requestIdHeaders, type RequestIds } from '@tokenhub/http';
import type { Quota } from '@tokenhub/metering';
import { Account } from './account.ts';
import { estimateUse } from './admission/estimate.ts';
import type { Gate } from './admission/gate.ts';
import { limitHeaders } from './admission/limit-headers.ts';
import { toGatewayError } from './admission/refusal.ts';
import type { Reservations } from './admission/reservations.ts';
import type { TopUps } from './admission/top-up.ts';
import type { Catalog } from './catalog.ts';
import type { ChatMetrics } from './metrics.ts';
import type { Exchanges } from './relay/exchanges.ts';
import { writeOutput } from './relay/write-output.ts';
import { rankCandidates } from './rank-candidates.ts';
import type { RoutingPolicy } from './surfaces/routing-policy.ts';
import type { Surface } from './surfaces/surface.ts';

/** What a chat needs of the process. */
export interface ChatServices {
  /** The catalog in force now. */
  readonly catalog: () => Catalog;
  readonly quota: Quota;
  readonly reservations: Reservations;
  readonly topUps: TopUps;
  readonly health: Health;
  readonly retryBudget: RetryBudget;
  readonly exchanges: Exchanges;
  readonly gate: Gate;
  readonly metrics: ChatMetrics;
}

/** One chat request as a surface has read it. */
export interface ChatCall extends RequestIds {
  readonly request: ChatRequest;
  readonly policy: RoutingPolicy;
  /** The caller's own count of its input, for routing only. */
  readonly estimatedInputTokens?: number | undefined;
  readonly surface: Surface;
  readonly key: KeyConfig;
}

/**
 * Steps 2 to 6 of a request's life, the same for every surface. Whatever happens, the caller gets one good answer or one
 * explicit error, and a granted reservation is settled exactly once.
 */
export async function completeChat(services: ChatServices, call: ChatCall, response: ServerResponse): Promise<void> {
  const { request, key, requestId, surface } = call;
  const { reservations, metrics } = services;
  const exchange = services.exchanges.open(response);
  const headers = Object.entries(requestIdHeaders(call, surface.errorDialect)).flat();
  const account = new Account(call, performance.now());
  let unwatch: (() => void) | undefined;
  try {
    services.gate.enter();
    // Ranking comes before admission: what has to be reserved depends on who may serve.
    const input = estimateInput(request);
    const catalog = services.catalog();
    const inputTokens = call.estimatedInputTokens ?? input.likely;
    const { ranked, policy } = rankCandidates(call, { catalog, health: services.health, inputTokens });

    const estimate = estimateUse(request, input, ranked);
    const isOpenWithoutStore = key.withoutQuotaStore === 'serve';
    const reservation = { requestId, org: key.org, scopes: catalog.scopesOf(key), isOpenWithoutStore, ...estimate };
    const decision = await services.gate.admit(() =>
      services.quota.reserve({ ...reservation, admission: account.admission }),
    );
    headers.push(...limitHeaders(decision));
    if (!decision.granted) throw toGatewayError(decision);
    // The store was away, so this gateway alone has decided.
    if (decision.isDegraded === true) headers.push('X-TokenHub-Degraded', 'quota');
    account.admitted = true;
    const used = () => account.soFar(estimate.floorNanoUsd);
    reservations.keep(requestId, key.org, () => used().costNanoUsd);
    if (request.stream) {
      exchange.stream(key.heartbeat ? beat : undefined);
      const { org, longAnswers } = key;
      const cut = longAnswers === 'cut' ? (reason: GatewayError) => exchange.abort(reason) : undefined;
      const { scopes } = reservation;
      unwatch = services.topUps.watch({ requestId, org, scopes, held: estimate, step: estimate.step, used, cut });
    }

    const completion = await openCompletion({
      request,
      ranked,
      requestId,
      answerDialect: surface.answerDialect,
      dropsLosses: policy.dropsLosses,
      maxAttempts: catalog.config.routing.maxAttempts,
      retryBudget: services.retryBudget,
      maxLatencyMs: policy.maxLatencyMs,
      signal: exchange.signal,
      bill: createBill(input.likely, request.choices),
      health: services.health,
      now: () => performance.now(),
      onFailedAttempt: (attempt) => {
        account.addFailure(attempt);
        metrics.reportAttempt(attempt, requestId);
      },
    });
    account.serve(completion, performance.now());
    if (completion.streamed) await relay(completion);
    else await answer(completion);
  } catch (error) {
    fail(exchange.signal.aborted ? exchange.signal.reason : error);
  } finally {
    unwatch?.();
    exchange.close();
    if (account.admitted) {
      const event = account.close(performance.now());
      const tokens = event.counts.promptTokens + event.counts.completionTokens;
      reservations.settle({ requestId, org: key.org, tokens, costNanoUsd: event.costNanoUsd, event });
      metrics.record(event);
    }
  }

  /** A sign of life: a stream that has been silent since its beginning is begun by it, and may still fail over. */
  function beat(): void {
    if (!response.headersSent) response.writeHead(200, [...headers, ...streamHeaders(response)]);
    response.write(surface.keepAlive);
  }

  async function relay(stream: OpenStream): Promise<void> {
    const routing = [...routingHeaders(account, stream), ...surface.streamHeaders(stream.dialect)];
    // After a heartbeat it is too late for headers.
    if (response.headersSent) response.write(toComment(routing));
    else response.writeHead(200, [...headers, ...routing, ...streamHeaders(response)]);
    await writeOutput(response, stream.output, exchange.signal);
    const receipt = account.complete(stream.receipt(true));
    // From here on the answer is complete: SDKs hang up at the terminator, and that is no cancellation.
    exchange.complete();
    response.end(surface.endStream(stream.end(receipt), stream.dialect, receipt));
  }

  async function answer(whole: CompleteAnswer): Promise<void> {
    account.complete(whole.receipt);
    const body = Buffer.from(surface.writeAnswer(whole, account.decision));
    headers.push(...routingHeaders(account, whole));
    headers.push('Content-Type', 'application/json', 'Content-Length', String(body.length));
    response.writeHead(200, headers);
    const last = Math.max(0, body.length - SLICE_BYTES);
    // In slices, since only between two of them it shows whether the caller reads.
    if (last > 0) await writeOutput(response, slicesOf(body.subarray(0, last)), exchange.signal);
    exchange.complete();
    response.end(body.subarray(last));
  }

  function fail(cause: unknown): void {
    const error = isGatewayError(cause)
      ? cause
      : new GatewayError('internal_error', 'Something went wrong here.', { cause });
    const receipt = account.fail(error);
    if (error.code === 'internal_error') metrics.reportFault(error, requestId);
    if (response.destroyed || error.code === 'client_cancelled' || error.code === 'client_stalled') response.destroy();
    else if (!response.headersSent) {
      headers.push('X-TokenHub-Attempts', String(account.attempts));
      answerError(response, error, { dialect: surface.errorDialect, requestId, headers });
    } else response.end(account.failStream(error, surface.errorDialect) + surface.endBrokenStream(receipt));
  }
}

/** Of answers that are not streamed; most have one. */
const SLICE_BYTES = 64 * 1024;

function* slicesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += SLICE_BYTES) yield bytes.subarray(from, from + SLICE_BYTES);
}

/** Exactly what a stream's caller may rely on; `X-Accel-Buffering` keeps nginx from holding events back. */
const STREAM_HEADERS = [
  'Content-Type',
  'text/event-stream',
  'Cache-Control',
  'no-cache',
  'X-Accel-Buffering',
  'no',
  'Connection',
  'keep-alive',
];
/** Of a process that takes its leave. */
const LAST_STREAM_HEADERS = [...STREAM_HEADERS.slice(0, -1), 'close'];

function streamHeaders({ shouldKeepAlive }: ServerResponse): readonly string[] {
  return shouldKeepAlive ? STREAM_HEADERS : LAST_STREAM_HEADERS;
}

function routingHeaders(account: Account, { served: { candidate }, losses }: Completion): string[] {
  return [
    ...(losses.length > 0 ? ['X-TokenHub-Dropped', listPaths(losses)] : []),
    'X-TokenHub-Model',
    candidate.model.id,
    'X-TokenHub-Provider',
    candidate.provider.id,
    'X-TokenHub-Reason',
    account.decision.reason,
    'X-TokenHub-Attempts',
    String(account.decision.attempts.length),
  ];
}

/** Longest list of what was left out of a request; nobody reads more. */
const MAX_LIST_LENGTH = 1_000;

/** Paths, of which the caller has chosen the names: nothing in them may end a header. */
function listPaths(losses: readonly Loss[]): string {
  const list = losses.map(({ path }) => path.replaceAll(/[^\x21-\x7e]/g, '?')).join(', ');
  return list.length > MAX_LIST_LENGTH ? `${list.slice(0, MAX_LIST_LENGTH)}...` : list;
}

/** Headers, names and values in turn, as a comment: for readers of the wire, since clients pass comments over. */
function toComment(headers: readonly string[]): string {
  const pairs = Array.from({ length: headers.length / 2 }, (_, index) => headers.slice(2 * index, 2 * index + 2));
  return encodeComment(JSON.stringify(Object.fromEntries(pairs)));
}
