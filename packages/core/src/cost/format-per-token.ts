/** A rate is nano-USD (10⁻⁹) per million (10⁶) tokens. */
const DECIMALS = 15;

/** A rate, in nano-USD per million tokens, as the exact decimal amount of USD per token: `2_500_000_000n` is `0.0000025`. */
export function formatPerToken(rate: bigint): string {
  const digits = rate.toString().padStart(DECIMALS + 1, '0');
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, '');
  const whole = digits.slice(0, -DECIMALS);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
