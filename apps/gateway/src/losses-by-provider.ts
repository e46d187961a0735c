import { endpointFor, isGatewayError, whyLost, writeFor, type Candidate, type GatewayError } from '@tokenhub/core';
import type { RoutedCall } from './rank-candidates.ts';

/**
 * Whether the providers have words for all that a request asks for. A provider of the caller's own dialect has; for any
 * other the request is written to see, once for all of its deployments.
 */
export class LossesByProvider {
  readonly #call: RoutedCall;
  readonly #byProvider = new Map<Candidate['provider'], GatewayError | undefined>();

  constructor(call: RoutedCall) {
    this.#call = call;
  }

  /** Why the first provider that was refused could not serve. */
  get lost(): GatewayError | undefined {
    return this.#byProvider.values().find((error) => error !== undefined);
  }

  /** True when the candidate cannot serve the request as it is, and the caller wants nothing left out. */
  refuses(candidate: Candidate): boolean {
    const { provider } = candidate;
    const { source } = this.#call.request;
    if (endpointFor(provider, source.dialect).dialect.name === source.dialect) return false;
    if (!this.#byProvider.has(provider)) this.#byProvider.set(provider, this.#find(candidate));
    return this.#byProvider.get(provider) !== undefined;
  }

  #find(candidate: Candidate): GatewayError | undefined {
    try {
      const { losses } = writeFor(candidate, this.#call.request);
      const lost = this.#call.policy.dropsLosses ? undefined : losses.find(({ isHint }) => isHint !== true);
      return lost && whyLost(lost);
    } catch (error) {
      if (isGatewayError(error)) return error;
      throw error;
    }
  }
}
