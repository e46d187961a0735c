import { GatewayError } from '@tokenhub/core';
import type { ExtendDecision, Quota, Scope } from '@tokenhub/metering';
import type { Hold } from './estimate.ts';

/** A stream that may grow. */
export interface GrowingStream {
  readonly requestId: string;
  readonly org: string;
  readonly scopes: readonly Scope[];
  /** What it holds from the beginning. */
  readonly held: Hold;
  /** What it gets besides at a time. */
  readonly step: Hold;
  /** What it has used until now. */
  readonly used: () => Hold;
  /** Ends it, where its key wants that when the limits allow no more; without it, it goes on. */
  readonly cut?: ((reason: GatewayError) => void) | undefined;
}

/** Holds more quota for streams that outgrow their reservation, so that others are not admitted on what they will have used. */
export interface TopUps {
  /** Watches a stream until the function that it gives is called. */
  watch(stream: GrowingStream): () => void;
  stop(): void;
}

const TICK_MS = 1_000;

interface Watched {
  readonly stream: GrowingStream;
  held: Hold;
  /** More is being asked for, or there is no more. */
  isLeftAlone: boolean;
}

export function createTopUps(quota: Pick<Quota, 'extend'>, onError: (error: unknown) => void): TopUps {
  const watched = new Set<Watched>();

  const ticker = setInterval(() => {
    for (const each of watched) if (!each.isLeftAlone && isNearlyUsedUp(each)) extend(each).catch(onError);
  }, TICK_MS);
  ticker.unref();

  async function extend(each: Watched): Promise<void> {
    const { requestId, org, scopes, step, cut } = each.stream;
    each.isLeftAlone = true;
    // Without an answer of the store it goes on, and asks again
    const decision = await quota.extend({ requestId, org, scopes, ...step }).finally(() => (each.isLeftAlone = false));
    if (decision.granted) {
      each.held = {
        tokens: each.held.tokens + step.tokens,
        costNanoUsd: each.held.costNanoUsd + step.costNanoUsd,
      };
    } else {
      each.isLeftAlone = true;
      cut?.(toGatewayError(decision));
    }
  }

  return {
    watch(stream) {
      const each = { stream, held: stream.held, isLeftAlone: false };
      watched.add(each);
      return () => void watched.delete(each);
    },
    stop: () => clearInterval(ticker),
  };
}

/** Four fifths are. */
function isNearlyUsedUp({ stream, held }: Watched): boolean {
  const { tokens, costNanoUsd } = stream.used();
  return 5 * tokens > 4 * held.tokens || 5n * costNanoUsd > 4n * held.costNanoUsd;
}

function toGatewayError({ scope, dimension }: ExtendDecision & { readonly granted: false }): GatewayError {
  if (dimension === 'tokens') {
    const message = `The answer outgrew what the tokens per minute of ${scope} allow, and was cut off.`;
    return new GatewayError('rate_limit_exceeded', message);
  }
  const message = `The answer outgrew what the budget of the ${dimension} of ${scope} allows, and was cut off.`;
  return new GatewayError('budget_exceeded', message);
}
