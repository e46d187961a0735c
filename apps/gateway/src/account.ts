import {
  findRoutingReason,
  NOTHING_USED,
  type Attempt,
  type Candidate,
  type Completion,
  type Dialect,
  type GatewayError,
  type Receipt,
} from '@tokenhub/core';
import type { Admission, AttemptRecord, CostEvent, Outcome } from '@tokenhub/metering';
import type { ChatCall } from './complete-chat.ts';
import type { Decision } from './surfaces/surface.ts';

/** Nobody began to answer, so nothing was used as far as we can know. */
const NOTHING: Receipt = { ...NOTHING_USED, estimated: true };

/** Writes down what happens to one request, and sums it up in one cost event at its end. Computes nothing itself. */
export class Account {
  /** True once the reservation was granted: from then on it must be settled. */
  admitted = false;
  readonly admission: Admission;
  readonly #call: ChatCall;
  readonly #startedAt: number;
  readonly #failures: Attempt[] = [];
  #completion: Completion | undefined;
  #firstTokenMs: number | undefined;
  #decision: Decision | undefined;
  #receipt: Receipt = NOTHING;
  #outcome: Outcome = 'completed';
  #errorReason: string | undefined;

  constructor(call: ChatCall, startedAt: number) {
    const { request, key, requestId, clientRequestId, surface } = call;
    this.#call = call;
    this.#startedAt = startedAt;
    this.admission = {
      requestId,
      keyId: key.id,
      user: key.user,
      team: key.team,
      org: key.org,
      surface: surface.name,
      streamed: request.stream,
      requestedModel: request.model,
      clientRequestId,
      admittedAt: Date.now(),
    };
  }

  addFailure(attempt: Attempt): void {
    this.#failures.push(attempt);
  }

  /** An answer has begun. */
  serve(completion: Completion, now: number): void {
    const { candidate } = completion.served;
    this.#completion = completion;
    this.#firstTokenMs = now - this.#startedAt;
    this.#decision = {
      requestId: this.#call.requestId,
      reason: findRoutingReason({
        served: candidate,
        requestedModel: this.#call.request.model,
        failedAttempts: this.#failures.map(({ candidate: failed, error }) => ({
          candidateId: failed.candidate.id,
          code: error.code,
        })),
      }),
      attempts: this.#attempts().map(({ costNanoUsd: _cost, ...attempt }) => attempt),
    };
  }

  /** How the answer came about. Only to be asked once one has begun. */
  get decision(): Decision {
    if (this.#decision === undefined) throw new Error('no answer has begun');
    return this.#decision;
  }

  /** How many deployments were asked until now. */
  get attempts(): number {
    return this.#failures.length + (this.#completion === undefined ? 0 : 1);
  }

  /** What the request has used until now; `floor` is its cost while no answer has begun. */
  soFar(floor: bigint): { readonly tokens: number; readonly costNanoUsd: bigint } {
    if (this.#completion?.streamed !== true) return { tokens: 0, costNanoUsd: floor };
    const { counts, cost } = this.#completion.receipt(false);
    return { tokens: counts.promptTokens + counts.completionTokens, costNanoUsd: cost.total };
  }

  /** The answer is whole. */
  complete(receipt: Receipt): Receipt {
    this.#receipt = receipt;
    return receipt;
  }

  /** It ended badly; gives the bill of what had been delivered by then. */
  fail(error: GatewayError): Receipt {
    this.#outcome = outcomeOf(error);
    this.#errorReason = error.code;
    if (this.#completion?.streamed === true) this.#receipt = this.#completion.receipt(false);
    return this.#receipt;
  }

  /** The event that ends the caller's stream, which has begun: in its own words, numbered on, where it is of this dialect. */
  failStream(error: GatewayError, dialect: Dialect): string {
    const completion = this.#completion;
    return completion?.streamed === true && completion.dialect === dialect
      ? completion.fail(error)
      : dialect.writeStreamError(error, this.#call.requestId);
  }

  /** The one cost event of this request. */
  close(now: number): CostEvent {
    const { counts, cost, estimated } = this.#receipt;
    const candidate = this.#completion?.served.candidate;
    return {
      ...this.admission,
      outcome: this.#outcome,
      model: candidate?.model.id,
      provider: candidate?.provider.id,
      deployment: candidate?.id,
      reason: this.#decision?.reason,
      counts,
      costNanoUsd: cost.total,
      inputCostNanoUsd: cost.input,
      outputCostNanoUsd: cost.output,
      costsNanoUsd: cost.byKind,
      estimated,
      errorReason: this.#errorReason,
      priceVersion: candidate?.model.price.version,
      firstTokenMs: this.#firstTokenMs === undefined ? undefined : Math.round(this.#firstTokenMs),
      durationMs: Math.round(now - this.#startedAt),
      attempts: this.#attempts(),
    };
  }

  #attempts(): AttemptRecord[] {
    const attempts = this.#failures.map(({ candidate, error, status }) => ({
      ...deploymentOf(candidate.candidate),
      outcome: error.code,
      ...(status !== undefined && { status }),
      // Nothing of it reached the caller.
      costNanoUsd: 0n,
    }));
    if (this.#completion === undefined) return attempts;
    const { candidate } = this.#completion.served;
    return [
      ...attempts,
      { ...deploymentOf(candidate), outcome: 'served', status: 200, costNanoUsd: this.#receipt.cost.total },
    ];
  }
}

function deploymentOf({ id, provider, model }: Candidate): { deployment: string; provider: string; model: string } {
  return { deployment: id, provider: provider.id, model: model.id };
}

function outcomeOf({ code }: GatewayError): Outcome {
  switch (code) {
    case 'client_cancelled':
    case 'client_stalled':
    // By its own limits, which its key wants to be kept.
    case 'budget_exceeded':
    case 'rate_limit_exceeded':
      return 'client_cancelled';
    case 'gateway_shutdown':
      return 'shutdown';
    case 'upstream_timeout':
      return 'timeout';
    default:
      return 'upstream_error';
  }
}
