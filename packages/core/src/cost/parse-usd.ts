/** Digits after the point that a nano-USD can hold. */
const DECIMALS = 9;
/** Above this, whole nano-USD no longer fit the doubles that the quota scripts count in (2^53 nano-USD are 9.007 million USD). */
const LIMIT_USD = 9_000_000n;
const DECIMAL = /^(0|[1-9]\d*)(?:\.(\d+))?$/;

/**
 * An amount of USD, written as a plain decimal such as `"12.50"`, in nano-USD. The inverse of `formatUsd`.
 * @param name what the message of an error calls it.
 * @throws RangeError for anything but 0 to below 9,000,000 USD in at most 9 decimals, saying what would be right.
 */
export function parseUsd(text: string, name = 'an amount of USD'): bigint {
  const [, whole, fraction = ''] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) {
    throw new RangeError(`${name} must be a plain decimal string without sign or exponent, such as "12.50"`);
  }
  if (fraction.length > DECIMALS) {
    throw new RangeError(`${name} must have at most ${DECIMALS} decimals, since money is counted in nano-USD`);
  }
  // The length first: a million digits are not worth a conversion.
  if (whole.length > LIMIT_USD.toString().length || BigInt(whole) >= LIMIT_USD) {
    throw new RangeError(`${name} must be below ${LIMIT_USD} USD`);
  }
  return BigInt(whole + fraction.padEnd(DECIMALS, '0'));
}
