/** What a model of Anthropic's takes, where they differ from one to the next. */
export interface ModelRules {
  /** It decides itself how much it thinks, and takes an effort; others think within a budget of tokens. */
  readonly isAdaptive: boolean;
  /** It cannot be told not to think. */
  readonly alwaysThinks: boolean;
  /** It takes the effort `xhigh`. */
  readonly takesXhigh: boolean;
  /** It takes `temperature` and `top_p` together, one of them, or neither and no `top_k`. */
  readonly sampling: 'both' | 'one' | 'none';
  /** It can be made to call a tool. */
  readonly takesForcedTools: boolean;
  /** It takes system messages in the middle of a conversation. */
  readonly takesSystemInPlace: boolean;
}

/** `claude-opus-4-6`, `claude-sonnet-4-20250514`, `claude-3-7-sonnet`, with whatever before or after. */
const NAME = /claude-(?:([a-z]+)-)?v?(\d+)(?:[-.](\d{1,2}))?(?!\d)/;
const FAMILY = /claude-([a-z]+)/;

/** Since which version the models of a family always think; 505 is 5.5, as 510 is 5.10. */
const ALWAYS_THINKS: Readonly<Record<string, number>> = { opus: 505, sonnet: 505, fable: 500, mythos: 500 };
/** Since which version they cannot be made to call a tool. */
const CHOOSES_TOOLS: Readonly<Record<string, number>> = { opus: 505, sonnet: 505, fable: 501, mythos: 501 };

/**
 * The rules of a model by its name: a version that is not known counts as the newest, and so does a family, but for what only
 * some families refuse. Other makers' models behind this dialect are like the oldest.
 *
 * Source: `runtimeRules` of https://github.com/vercel/ai/blob/main/packages/anthropic/src/anthropic-model-catalog.ts; of
 * `temperature` beside `top_p` and of system messages
 * https://platform.claude.com/docs/en/about-claude/models/migration-guide and …/build-with-claude/mid-conversation-system-messages
 */
export function rulesOf(model: string): ModelRules {
  const { family, version } = parseName(model);
  return {
    isAdaptive: version >= 406,
    alwaysThinks: version >= (ALWAYS_THINKS[family] ?? Number.NaN),
    takesXhigh: version >= 407,
    sampling: version >= 407 ? 'none' : version >= 401 ? 'one' : 'both',
    takesForcedTools: !(version >= (CHOOSES_TOOLS[family] ?? Number.NaN)),
    takesSystemInPlace: version >= (family === 'sonnet' ? 505 : 408),
  };
}

function parseName(model: string): { readonly family: string; readonly version: number } {
  const [, family = '', major, minor = '0'] = NAME.exec(model) ?? FAMILY.exec(model) ?? [];
  if (major !== undefined) return { family, version: Number(major) * 100 + Number(minor) };
  return { family, version: model.includes('claude') ? Number.POSITIVE_INFINITY : 0 };
}
