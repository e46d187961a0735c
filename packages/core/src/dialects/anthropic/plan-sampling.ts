import type { ChatRequest } from '../../chat/chat-request.ts';
import type { Losses } from '../losses.ts';
import type { ModelRules } from './model-rules.ts';

/** What of a request's sampling goes to the model. */
export type Sampling = Pick<ChatRequest, 'temperature' | 'topP' | 'topK'>;

export interface SamplingOptions {
  readonly rules: ModelRules;
  /** The model is asked to think in the same request. */
  readonly thinks: boolean;
  readonly losses: Losses;
}

/** Rules that a request breaks, by its members. */
type BrokenRules = Readonly<Partial<Record<'temperature' | 'top_p' | 'top_k', string | undefined>>>;

/**
 * The sampling that the model takes; the rest is lost. 1 is what `temperature` and `top_p` are when they are left out, so
 * that leaving it out makes no difference.
 * Source: https://platform.claude.com/docs/en/build-with-claude/thinking and …/about-claude/models/migration-guide
 */
export function planSampling(request: ChatRequest, options: SamplingOptions): Sampling {
  const { losses } = options;
  const broken = findBroken(request, options);
  return {
    temperature: keep('temperature', request.temperature),
    topP: keep('top_p', request.topP),
    topK: keep('top_k', request.topK),
  };

  function keep(name: keyof BrokenRules, value: number | undefined): number | undefined {
    const rule = broken[name];
    if (value === undefined || rule === undefined) return value;
    if (value === 1 && name !== 'top_k') losses.addHint(name);
    else losses.add(name, rule);
    return undefined;
  }
}

function findBroken({ temperature, topP }: ChatRequest, { rules, thinks }: SamplingOptions): BrokenRules {
  if (rules.sampling === 'none') {
    const rule = 'must be left out for this model';
    return { temperature: rule, top_p: rule, top_k: rule };
  }
  const broken = thinks ? findBrokenByThinking(temperature, topP) : findBrokenByHeat(temperature);
  if (rules.sampling === 'both' || temperature === undefined || topP === undefined) return broken;
  const rule = 'must be left out for this model, which takes either temperature or top_p';
  return { ...broken, ...(temperature === 1 ? { temperature: rule } : { top_p: rule }) };
}

function findBrokenByHeat(temperature = 1): BrokenRules {
  return temperature > 1 ? { temperature: 'must be from 0 to 1 for the provider of this model' } : {};
}

function findBrokenByThinking(temperature = 1, topP = 1): BrokenRules {
  const where = 'with reasoning, for the provider of this model';
  return {
    temperature: temperature === 1 ? undefined : `must be 1 or left out ${where}`,
    top_p: topP >= 0.95 ? undefined : `must be from 0.95 to 1 or left out ${where}`,
    top_k: `must be left out ${where}`,
  };
}
