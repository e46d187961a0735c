import { z } from 'zod';
import { decodeAdmission, decodeCostEvent } from './cost-event-codec.ts';
import { toExpiredEvent } from './expired-event.ts';
import { periodsOf } from './quota/periods.ts';
import type { DeadLetter, EntryKind, LedgerEntry } from './ledger/ledger.ts';

/** An entry as it lies in the outbox stream; the settle script has written it. */
export interface OutboxEntry {
  readonly shard: number;
  /** `<milliseconds>-<number>`, by the store's clock. */
  readonly streamId: string;
  readonly fields: Readonly<Record<string, string>>;
}

export type ReadOutboxEntry =
  { readonly ok: true; readonly entry: LedgerEntry } | { readonly ok: false; readonly deadLetter: DeadLetter };

/** Turns an outbox entry into the ledger row that it stands for; what cannot be read becomes a dead letter, never an error. */
export function readOutboxEntry({ shard, streamId, fields }: OutboxEntry): ReadOutboxEntry {
  try {
    const parsed = fieldsSchema.parse(fields);
    const { kind, delta: deltaNanoUsd, event: json } = parsed;
    const createdAt = Number.parseInt(streamId, 10);
    const event = kind === 'E' ? toExpiredEvent(decodeAdmission(json), deltaNanoUsd, createdAt) : decodeCostEvent(json);
    // Without its reservation nobody knows the period of admission any more; the event's own time stands in.
    const { day, month } = parsed.kind === 'O' ? periodsOf(event.admittedAt) : parsed;
    return {
      ok: true,
      entry: { kind: ENTRY_KINDS[kind], event, deltaNanoUsd, day, month, shard, streamId, createdAt },
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, deadLetter: { shard, streamId, fields, reason } };
  }
}

/** S, E and O all say how a request ended; since that row is unique, it does not matter how many of them there are. */
const ENTRY_KINDS = { S: 'T', E: 'T', O: 'T', A: 'A', R: 'R' } as const satisfies Record<string, EntryKind>;

const orphan = z.object({
  kind: z.literal('O'),
  delta: z
    .string()
    .regex(/^-?\d{1,17}$/)
    .transform(BigInt),
  event: z.string(),
});
const fieldsSchema = z.discriminatedUnion('kind', [
  orphan,
  orphan.extend({
    kind: z.enum(['S', 'E', 'A', 'R']),
    day: z.string().regex(/^\d{8}$/),
    month: z.string().regex(/^\d{6}$/),
  }),
]);
