import { GatewayError, isGatewayError, whyLost, writeFor, type Candidate } from '@tokenhub/core';
import type { RoutedCall } from './rank-candidates.ts';
import { DROP_UNSUPPORTED } from './surfaces/routing-policy.ts';

/**
 * Whether the providers take all that a request asks for. It is written for each to see: not every dialect has the words, some
 * servers refuse members of their own dialect, and what a provider takes can depend on its model.
 */
export class CandidateLosses {
  readonly #call: RoutedCall;
  #lost: GatewayError | undefined;

  constructor(call: RoutedCall) {
    this.#call = call;
  }

  /** Why the first one that was refused could not serve. */
  get lost(): GatewayError | undefined {
    return this.#lost;
  }

  /** True when the candidate cannot serve the request as it is, and the caller wants nothing left out. */
  refuses(candidate: Candidate): boolean {
    const lost = this.#find(candidate);
    this.#lost ??= lost;
    return lost !== undefined;
  }

  #find(candidate: Candidate): GatewayError | undefined {
    try {
      const { losses } = writeFor(candidate, this.#call.request);
      const lost = this.#call.policy.dropsLosses ? undefined : whyLost(losses);
      return lost && withWayOut(lost);
    } catch (error) {
      if (isGatewayError(error)) return error;
      throw error;
    }
  }
}

/** Core, which finds the loss, does not know how a caller allows it. */
function withWayOut(lost: GatewayError): GatewayError {
  const wayOut = `Or send "${DROP_UNSUPPORTED}: true" ("policy.drop_unsupported" in the envelope), and it is left out for you.`;
  return new GatewayError(lost.code, `${lost.message} ${wayOut}`, { param: lost.param, cause: lost });
}
