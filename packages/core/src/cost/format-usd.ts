const NANO_PER_USD = 1_000_000_000n;

/**
 * Nano-USD as an exact decimal amount of USD: no trailing zeros, no exponent, so `1_200_000n` is `0.0012` and `0n` is `0`.
 * The digits are valid both as a string and as a JSON number.
 */
export function formatUsd(nano: bigint): string {
  if (nano < 0n) return `-${formatUsd(-nano)}`;
  const whole = (nano / NANO_PER_USD).toString();
  const fraction = (nano % NANO_PER_USD).toString().padStart(9, '0');
  const digits = fraction.replace(/0+$/, '');
  return digits === '' ? whole : `${whole}.${digits}`;
}
