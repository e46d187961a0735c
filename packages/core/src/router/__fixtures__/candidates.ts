import { parsePrice } from '../../cost/parse-price.ts';
import { staticCredential } from '../../providers/credential.ts';
import type { Provider } from '../../providers/provider.ts';
import type { Candidate, Model } from '../candidate.ts';

export function createModel(id: string, members: Partial<Model> = {}): Model {
  return { id, weight: 5, price: parsePrice({ input: '1', output: '1' }), ...members };
}

/** A candidate whose provider must be left alone: deciding who serves asks nobody. */
export function createCandidate(model: Model, providerId = 'openai'): Candidate {
  const provider: Provider = {
    id: providerId,
    credential: staticCredential(undefined, () => 0),
    timeouts: { firstEventMs: 1000, wholeAnswerMs: 600_000, progressMs: 600_000 },
    get endpoints(): Provider['endpoints'] {
      throw new Error('the router looked into a provider');
    },
  };
  return { id: `${model.id}@${providerId}`, model, provider, upstreamModel: model.id };
}
