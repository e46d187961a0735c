import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { decodeCostEvent, encodeCostEvent } from '../cost-event-codec.ts';
import type { Settlement } from '../quota/quota.ts';

/** A settlement as one line of a spool file: a checksum, then JSON. */
export function writeSpoolLine({ requestId, org, tokens, costNanoUsd, event }: Settlement): string {
  const json = JSON.stringify({
    requestId,
    org,
    tokens,
    costNanoUsd: String(costNanoUsd),
    event: encodeCostEvent(event),
  });
  return `${checksumOf(json)} ${json}\n`;
}

/** The settlement of a line without its end; `undefined` when it was torn or changed. */
export function readSpoolLine(line: string): Settlement | undefined {
  const json = line.slice(CHECKSUM_LENGTH + 1);
  if (line.slice(0, CHECKSUM_LENGTH) !== checksumOf(json)) return undefined;
  try {
    const { event, ...rest } = lineSchema.parse(JSON.parse(json));
    return { ...rest, event: decodeCostEvent(event) };
  } catch {
    return undefined;
  }
}

const CHECKSUM_LENGTH = 8;

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(CHECKSUM_LENGTH, '0');
}

const lineSchema = z.object({
  requestId: z.string().min(1),
  org: z.string(),
  tokens: z.int().nonnegative(),
  costNanoUsd: z
    .string()
    .regex(/^\d{1,17}$/)
    .transform(BigInt),
  event: z.string(),
});
