import { API_NAMES, parseUsd, PRESET_NAMES } from '@tokenhub/core';
import { z } from 'zod';

const ID = /^[A-Za-z0-9][\w.@+-]{0,127}$/;
const MODEL_ID = /^[A-Za-z0-9][\w.:/@+-]{0,127}$/;

const id = z.string().regex(ID, 'must be 1 to 128 letters, digits, and . _ - + @, starting with a letter or digit');
const modelId = z
  .string()
  .regex(MODEL_ID, 'must be 1 to 128 letters, digits, and . _ - + @ : /, starting with a letter or digit');
/** What may stand in an HTTP header as a credential. */
const secret = z.string().regex(/^[\x21-\x7e]+$/, 'must be printable ASCII characters without spaces');
const usd = z
  .string({ error: 'must be an amount of USD in quotes, as in "0.05"' })
  .superRefine((text, context) => {
    try {
      parseUsd(text, '');
    } catch (error) {
      // The path of the field stands where the message would name the amount.
      context.addIssue(error instanceof Error ? error.message.trim() : String(error));
    }
  })
  .meta({ pattern: String.raw`^(0|[1-9]\d{0,6})(\.\d{1,9})?$` });

/** `${NAME}` puts text into the file; where a number or a boolean is meant, text that reads as one will do. */
function fromText<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value) => {
    if (typeof value !== 'string') return value;
    if (/^-?\d+(\.\d+)?$/.test(value)) return Number(value);
    return value === 'true' || (value === 'false' ? false : value);
  }, schema);
}

const integer = (min: number, max: number) => fromText(z.int().min(min).max(max));
const milliseconds = integer(1, 3_600_000);
const tokens = integer(1, 100_000_000);
const streamFormat = z.enum(['native', 'openai']);

export const limitsSchema = z
  .strictObject({
    rpm: integer(1, 10_000_000).optional().describe('Requests per minute.'),
    tpm: integer(1, 1_000_000_000).optional().describe('Tokens per minute, input and output together.'),
    concurrency: integer(1, 1_000_000).optional().describe('Requests in flight at a time, streamed or not.'),
    budget_day_usd: usd.optional().describe('USD per day (UTC), a decimal string.'),
    budget_month_usd: usd.optional().describe('USD per calendar month (UTC), a decimal string.'),
  })
  .describe('A limit that is left out does not apply.');

export const providerSchema = z.strictObject({
  id: id.describe('Names the provider in deployments, in X-TokenHub-Provider and in the ledger.'),
  type: z
    .enum(PRESET_NAMES)
    .describe('Whose server it is; docs/providers.md says what follows. vllm is any OpenAI-compatible server.'),
  base_url: z
    .string()
    .optional()
    .describe(
      'Where the API is, with or without a trailing /v1. Left out: the address of its type, which all but azure-openai and vllm have.',
    ),
  apis: z
    .array(z.enum(API_NAMES))
    .min(1)
    .optional()
    .describe(
      'The APIs that it offers, for servers that offer others than their type; requests of other APIs are translated into the first. Left out: those of its type.',
    ),
  api_key: secret
    .optional()
    .describe(
      'The credential, best as ${NAME} from the environment. Or credentials; only a server of one’s own may go without both.',
    ),
  credentials: z
    .strictObject({
      command: z
        .array(z.string())
        .min(1)
        .optional()
        .describe(
          'A program and its arguments, run without a shell for at most 10 s, that prints the secret. Or file.',
        ),
      file: z.string().min(1).optional().describe('Path of a file that holds nothing but the secret. Or command.'),
    })
    .optional()
    .describe(
      'Where the credential is read at its first use, and again whenever the provider answers 401. Or api_key.',
    ),
  timeouts: z
    .strictObject({
      connect_ms: milliseconds
        .optional()
        .meta({ description: 'Longest wait for a connection, TLS included.', default: 5000 }),
      first_event_ms: milliseconds.optional().meta({
        description:
          'Longest wait from the request to the first content of a stream, or to the sign that the model has begun to think.',
        default: 60_000,
      }),
      whole_answer_ms: milliseconds.optional().meta({
        description:
          'Longest wait from the request to the end of an answer that is not streamed: most providers send nothing of it before.',
        default: 300_000,
      }),
      idle_ms: milliseconds.optional().meta({ description: 'Longest silence inside a stream.', default: 120_000 }),
      progress_ms: milliseconds.optional().meta({
        description:
          'Longest time inside a stream during which only pings or pieces of an event come and no content; also that of hidden thinking, while pings come.',
        default: 600_000,
      }),
      total_ms: milliseconds
        .optional()
        .describe('Longest time of a whole stream, from its request on; left out: no limit.'),
    })
    .optional()
    .describe('In milliseconds. One that passes makes the next candidate serve, or ends the stream with an error.'),
  max_connections: integer(1, 100_000)
    .optional()
    .meta({ description: 'Most connections to this provider at a time; one carries one request.', default: 512 }),
  allow_private: fromText(z.boolean())
    .optional()
    .meta({ description: 'Permits plain http and addresses on loopback or in private ranges.', default: false }),
});

const amount = usd.describe('USD per million tokens, a decimal string.');
const rates = z.strictObject({
  input: amount,
  output: amount,
  cached_input: amount.optional().describe('Of input read from the provider’s cache; as input when left out.'),
  cache_write: amount.optional().describe('Of input written to the provider’s cache; as input when left out.'),
  cache_write_1h: amount
    .optional()
    .describe(
      'Of input written to the provider’s cache for an hour. Left out: twice input, as Anthropic has it, or cache_write if that is more; as input where cache_write is left out too.',
    ),
  reasoning: amount.optional().describe('Of output spent on reasoning; as output when left out.'),
});
const tier = rates.extend({
  above_input_tokens: tokens.describe(
    'Prompt tokens, cached ones included; a prompt with more has the rates of this tier.',
  ),
});
const price = z
  .union([
    z.literal('free'),
    rates.extend({
      tiers: z
        .array(tier)
        .min(1)
        .optional()
        .describe('Other rates for long prompts, by rising thresholds. They hold for every token of the request.'),
    }),
  ])
  .describe(
    'USD per million tokens in decimal strings, or free. Left out: the bundled price catalogue, which must know the model.',
  );

export const modelSchema = z.strictObject({
  id: modelId.describe('What callers name.'),
  kind: z.enum(['chat', 'embedding']).optional().meta({
    description: 'What it makes of its input: answers, or vectors for POST /v1/embeddings.',
    default: 'chat',
  }),
  weight: fromText(z.number().min(0).max(10))
    .optional()
    .meta({ description: 'Capability, 0 to 10: the N of routed-weight-N.', default: 5 }),
  context_window: tokens
    .optional()
    .describe(
      'Tokens of input and output together, for embeddings of each input; left out: unknown, never a reason to exclude.',
    ),
  max_output_tokens: tokens.optional().describe('Most tokens of one answer.'),
  deployments: z
    .array(
      z.strictObject({
        provider: id.describe('Id of one of the providers.'),
        model: z.string().min(1).max(256).describe('The model’s name at that provider.'),
      }),
    )
    .min(1)
    .describe('Where it runs; several make a failover that stays with the model.'),
  price: price.optional(),
  capabilities: z
    .array(z.enum(['images', 'documents', 'tools', 'structured_output', 'reasoning']))
    .optional()
    .describe('What it can do besides, told by GET /v1/models; nothing is routed by it. Left out: unknown.'),
});

const keyRights = {
  scopes: z
    .array(z.enum(['chat', 'plan', 'embeddings']))
    .min(1)
    .optional()
    .meta({ description: 'What the key may do.', default: ['chat', 'plan'] }),
  models: z
    .array(z.union([z.literal('*'), modelId]))
    .min(1)
    .optional()
    .meta({ description: 'Ids of the models that it may use; * for all.', default: ['*'] }),
  limits: limitsSchema.optional().describe('Limits of this key alone.'),
  user: id.optional().describe('Whose key it is; the user’s limits hold over all keys.'),
  team: id.optional().describe('For which team; the team’s limits hold over all its keys.'),
  org: id
    .optional()
    .meta({ description: 'Whose bill it is; the organisation’s limits hold over all its keys.', default: 'default' }),
  expires_at: z.iso
    .datetime({ offset: true, error: 'must be a time with its zone, as in 2027-01-31T00:00:00Z' })
    .optional()
    .describe('From when on it is refused, RFC 3339; left out: never.'),
  stream_format: streamFormat.optional().describe('What /v1/chat streams for this key; left out: as routing says.'),
  heartbeat: fromText(z.boolean()).optional().meta({
    description: 'Whether silent streams get `: keep-alive` comments; false for clients that cannot parse comments.',
    default: true,
  }),
  long_answers: z.enum(['finish', 'cut']).optional().meta({
    description:
      'What becomes of a stream that outgrows what was reserved for it when the limits allow no more: finish lets it go on to its end, cut ends it with an error event.',
    default: 'finish',
  }),
  without_quota_store: z.enum(['refuse', 'serve']).optional().meta({
    description:
      'What becomes of requests that a budget pays for while Redis is away: refuse answers 503, serve lets them pass uncounted until it is back.',
    default: 'refuse',
  }),
};

export const keySchema = z.strictObject({
  id: id.describe('Names the key in quotas and in the ledger; not secret.'),
  key: secret
    .min(16)
    .max(256)
    .optional()
    .describe('The secret itself, 16 to 256 printable characters, best as ${NAME} from the environment. Or key_hash.'),
  key_hash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits, as printed by pnpm tokenhub keys hash')
    .optional()
    .describe('The secret’s hash as printed by pnpm tokenhub keys hash. Or key.'),
  ...keyRights,
});

export const ownerSchema = z.strictObject({ limits: limitsSchema.optional() });

export const routingSchema = z.strictObject({
  mode: z
    .enum(['cheap', 'normal', 'high_confidence', 'planning', 'adversarial'])
    .optional()
    .meta({ description: 'Which weights the score of a candidate has.', default: 'normal' }),
  max_budget_usd: usd
    .nullish()
    .meta({ description: 'Most a request may be expected to cost, a decimal string; null: no limit.', default: null }),
  max_latency_ms: milliseconds
    .nullish()
    .meta({ description: 'Longest expected wait for the first token; null: no limit.', default: null }),
  max_attempts: integer(1, 10).optional().meta({ description: 'Most candidates tried for one request.', default: 3 }),
  auto_models: z
    .array(modelId)
    .min(1)
    .optional()
    .describe('Among which models a request is routed that names none; left out: all that its key may use.'),
  stream_format: streamFormat.optional().meta({
    description: 'What /v1/chat streams: the provider’s own events, or OpenAI’s whoever serves.',
    default: 'native',
  }),
});

/** The configuration file as written, before references and amounts are looked at. */
export const configSchema = z.strictObject({
  $schema: z.string().optional().describe('For editors.'),
  providers: z.array(providerSchema).min(1).describe('Who serves.'),
  models: z.array(modelSchema).min(1).describe('What is served.'),
  keys: z.array(keySchema).optional().describe('Static API keys; others are made on the operator surface.'),
  routing: routingSchema.optional().describe('What holds for a request that does not say otherwise.'),
  orgs: z.record(id, ownerSchema).optional().describe('Organisations with limits, by their id.'),
  users: z.record(id, ownerSchema).optional().describe('Users with limits, by their id.'),
  teams: z.record(id, ownerSchema).optional().describe('Teams with limits, by their id.'),
});

/** What an operator may say of a key that he has made: the fields of `keys` without the secret. */
export const keyRightsSchema = z.strictObject({
  id: id.optional(),
  name: z.string().max(200).optional(),
  ...keyRights,
});

export type ProviderFile = z.infer<typeof providerSchema>;
export type ModelFile = z.infer<typeof modelSchema>;
export type KeyFile = z.infer<typeof keySchema>;
export type KeyRightsFile = z.infer<typeof keyRightsSchema>;
export type LimitsFile = z.infer<typeof limitsSchema>;
export type RoutingFile = z.infer<typeof routingSchema>;

/** The JSON Schema of the configuration file, from which editors complete it. */
export function configJsonSchema(): object {
  return {
    title: 'TokenHub configuration',
    // The types after reading: what stands in the file where no variable does.
    ...z.toJSONSchema(configSchema, { target: 'draft-7', io: 'output' }),
  };
}
