import { isIPv6 } from 'node:net';
import { GatewayError } from '@tokenhub/core';

/** Keys that are not valid, per address and second; whoever sends more guesses, or should look at its key. */
const MOST_PER_SECOND = 50;
/** Most addresses that are remembered at a time; the oldest is forgotten first. */
const MAX_ADDRESSES = 10_000;
const WINDOW_MS = 1_000;

/** Counts keys that are not valid, by the address of the socket that they came from. */
export interface AuthFailures {
  /** What to answer instead of the failure; `undefined` while the address has not failed too often. */
  count(address: string): GatewayError | undefined;
}

/** @param now milliseconds of a clock that only goes forward */
export function createAuthFailures(now: () => number): AuthFailures {
  const windows = new Map<string, { readonly since: number; failures: number }>();

  return {
    count(address) {
      const source = sourceOf(address);
      const time = now();
      let window = windows.get(source);
      if (window === undefined || time - window.since >= WINDOW_MS) {
        const [oldest] = windows.keys();
        if (oldest !== undefined && windows.size >= MAX_ADDRESSES) windows.delete(oldest);
        window = { since: time, failures: 0 };
        windows.delete(source);
        windows.set(source, window);
      }
      window.failures++;
      if (window.failures <= MOST_PER_SECOND) return undefined;
      return new GatewayError(
        'too_many_auth_failures',
        'Too many API keys from this address were not valid. Correct the key and try again in a second.',
        { retryAfterMs: WINDOW_MS },
      );
    },
  };
}

/** Whoever has one address of IPv6 has the 2⁶⁴ beside it too. */
function sourceOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail = ''] = address.split('::', 2);
  const groups = head.split(':').filter(Boolean);
  const rest = tail.split(':').filter(Boolean);
  while (groups.length + rest.length < 8 && address.includes('::')) groups.push('0');
  return [...groups, ...rest].slice(0, 4).join(':');
}
