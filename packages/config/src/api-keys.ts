import { createHmac, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const PREFIX = 'tokenhub_';
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 62⁴³ > 2²⁵⁶ and 62⁶ > 2³². */
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const FORM = new RegExp(`^${PREFIX}([0-9A-Za-z]{${SECRET_LENGTH}})([0-9A-Za-z]{${CHECKSUM_LENGTH}})$`);

/**
 * A new API key: `tokenhub_`, 32 random bytes in base62, and a CRC-32 of what stands before it, so that a mistyped key is
 * refused without a look-up and scanners for leaked secrets find few false ones.
 */
export function generateApiKey(random: (size: number) => Uint8Array = randomBytes): string {
  const secret = toBase62(BigInt(`0x${Buffer.from(random(32)).toString('hex')}`), SECRET_LENGTH);
  return PREFIX + secret + checksumOf(secret);
}

/** Has it the form of a generated key, its checksum included? Keys of the configuration file need not. */
export function hasValidChecksum(key: string): boolean {
  const [, secret, checksum] = FORM.exec(key) ?? [];
  return secret !== undefined && checksum === checksumOf(secret);
}

/**
 * What is kept of a key: hex HMAC-SHA-256 under the pepper. A key of 256 random bits needs no slow hash; the pepper
 * keeps a stolen table of hashes from being of any use.
 */
export function hashApiKey(key: string, pepper: string): string {
  return createHmac('sha256', pepper).update(key).digest('hex');
}

/** The secrets under which keys are hashed: new ones under the current one, and those of before are known under the previous. */
export type Peppers = readonly [current: string, previous?: string | undefined];

/** A key under each of the peppers, the current one first. */
export function hashesOfApiKey(key: string, peppers: Peppers): readonly [current: string, ...previous: string[]] {
  const [current, previous] = peppers;
  const hash = hashApiKey(key, current);
  return previous === undefined ? [hash] : [hash, hashApiKey(key, previous)];
}

function checksumOf(secret: string): string {
  return toBase62(BigInt(crc32(PREFIX + secret)), CHECKSUM_LENGTH);
}

function toBase62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; rest > 0n; rest /= 62n) text = ALPHABET.charAt(Number(rest % 62n)) + text;
  return text.padStart(length, '0');
}
