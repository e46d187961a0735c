import type { Limits, Refusal, ReserveRequest, ScopeRemaining, Settlement, WindowState } from '../quota/quota.ts';

/** As in the store's scripts: a window is 31 slots of 2 s, which hold at least the last 60 s. */
const SLOT_MS = 2000;
const SLOTS = 31;
const SECOND_MS = 1000;

/** What this process has admitted lately, per scope; it grants a share of the limits by that while the store is away. */
export interface LocalWindows {
  /** Notes what the store has granted, so that it counts if the store goes away now. */
  note(request: ReserveRequest): void;
  /** Grants or refuses by a share of the limits of requests, tokens and concurrency; budgets are not looked at. */
  reserve(request: ReserveRequest): LocalDecision;
  /** The request has ended: its slot is free, and its tokens are known. */
  settle(settlement: Pick<Settlement, 'requestId' | 'tokens'>): void;
}

export type LocalDecision = { readonly granted: true; readonly remaining: readonly ScopeRemaining[] } | Refusal;

export interface LocalWindowsOptions {
  /** Gateways that may be doing the same; the limits are divided by it. */
  readonly gateways: number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

export function createLocalWindows({ gateways, now }: LocalWindowsOptions): LocalWindows {
  const scopes = new Map<string, ScopeWindow>();
  const running = new Map<string, Admitted>();

  const windowOf = (scope: string, slot: number): ScopeWindow => {
    let window = scopes.get(scope);
    if (window === undefined) {
      // Those that nobody has used for a while go with the first new one of a slot
      forgetIdle(scopes, slot);
      window = new ScopeWindow(slot);
      scopes.set(scope, window);
    }
    window.moveTo(slot);
    return window;
  };

  const note = ({ requestId, scopes: its, tokens }: ReserveRequest): void => {
    const slot = Math.floor(now() / SLOT_MS);
    // One without limits is not counted by anybody
    const windows = its.filter(({ limits }) => isLimited(limits)).map(({ id }) => windowOf(id, slot));
    if (windows.length === 0) return;
    for (const window of windows) window.add(tokens);
    running.set(requestId, { windows, slot, tokens });
  };

  return {
    note,
    reserve(request) {
      const at = now();
      const slot = Math.floor(at / SLOT_MS);
      for (const { id, limits } of request.scopes) {
        if (!isLimited(limits)) continue;
        const window = windowOf(id, slot);
        for (const [dimension, limit, used, wanted] of [
          ['requests', limits.requestsPerMinute, window.requests, 1],
          ['tokens', limits.tokensPerMinute, window.tokens, request.tokens],
          ['concurrency', limits.concurrency, window.live, 1],
        ] as const) {
          if (limit === undefined) continue;
          const share = Math.floor(limit / gateways);
          if (used + wanted <= share) continue;
          const isHopeless = wanted > share;
          const waitMs = dimension === 'concurrency' ? SECOND_MS : window.waitMs(dimension, used + wanted - share, at);
          return {
            granted: false,
            scope: id,
            dimension,
            limit: BigInt(share),
            used: BigInt(used),
            reserved: 0n,
            waitMs: isHopeless ? undefined : waitMs,
            remaining: remainingOf(request, slot, at),
          };
        }
      }
      note(request);
      return { granted: true, remaining: remainingOf(request, slot, at) };
    },
    settle({ requestId, tokens }) {
      const admitted = running.get(requestId);
      if (admitted === undefined) return;
      running.delete(requestId);
      for (const window of admitted.windows) window.release(admitted.slot, tokens - admitted.tokens);
    },
  };

  function remainingOf({ scopes: its }: ReserveRequest, slot: number, at: number): readonly ScopeRemaining[] {
    return its.map(({ id, limits: { requestsPerMinute, tokensPerMinute } }) => {
      const window = scopes.get(id) ?? new ScopeWindow(slot);
      const toState = (limit: number | undefined, used: number): WindowState | undefined => {
        if (limit === undefined) return undefined;
        const share = Math.floor(limit / gateways);
        return { limit: share, remaining: Math.max(0, share - used), resetMs: window.resetMs(at) };
      };
      return {
        scope: id,
        requests: toState(requestsPerMinute, window.requests),
        tokens: toState(tokensPerMinute, window.tokens),
      };
    });
  }
}

interface Admitted {
  readonly windows: readonly ScopeWindow[];
  readonly slot: number;
  readonly tokens: number;
}

/** Sums of the last 31 slots of a scope. */
class ScopeWindow {
  requests = 0;
  tokens = 0;
  live = 0;
  #slot: number;
  readonly #requests = Array.from({ length: SLOTS }, () => 0);
  readonly #tokens = Array.from({ length: SLOTS }, () => 0);

  constructor(slot: number) {
    this.#slot = slot;
  }

  get isIdle(): boolean {
    return this.live === 0 && this.requests === 0;
  }

  moveTo(slot: number): void {
    const first = Math.max(this.#slot + 1, slot - SLOTS + 1);
    for (let passed = first; passed <= slot; passed++) {
      const at = passed % SLOTS;
      this.requests -= this.#requests[at] ?? 0;
      this.tokens -= this.#tokens[at] ?? 0;
      this.#requests[at] = 0;
      this.#tokens[at] = 0;
    }
    this.#slot = Math.max(this.#slot, slot);
  }

  add(tokens: number): void {
    const at = this.#slot % SLOTS;
    this.live++;
    this.requests++;
    this.tokens += tokens;
    this.#requests[at] = (this.#requests[at] ?? 0) + 1;
    this.#tokens[at] = (this.#tokens[at] ?? 0) + tokens;
  }

  /** Tokens of a slot that has left the window do not count any more. */
  release(slot: number, change: number): void {
    this.live--;
    if (slot <= this.#slot - SLOTS) return;
    const at = slot % SLOTS;
    this.tokens += change;
    this.#tokens[at] = (this.#tokens[at] ?? 0) + change;
  }

  /** Until so much has left the window. */
  waitMs(dimension: 'requests' | 'tokens', excess: number, now: number): number {
    const slots = dimension === 'requests' ? this.#requests : this.#tokens;
    let left = excess;
    for (let slot = this.#slot - SLOTS + 1; slot <= this.#slot; slot++) {
      left -= slots[((slot % SLOTS) + SLOTS) % SLOTS] ?? 0;
      if (left <= 0) return (slot + SLOTS) * SLOT_MS - now;
    }
    return SLOTS * SLOT_MS;
  }

  /** Until nothing is in it. */
  resetMs(now: number): number {
    return this.requests === 0 ? 0 : (this.#slot + SLOTS) * SLOT_MS - now;
  }
}

function isLimited({ requestsPerMinute, tokensPerMinute, concurrency }: Limits): boolean {
  return requestsPerMinute !== undefined || tokensPerMinute !== undefined || concurrency !== undefined;
}

/** Keeps the map at what is in use. */
function forgetIdle(scopes: Map<string, ScopeWindow>, slot: number): void {
  if (scopes.size % 1000 !== 999) return;
  for (const [scope, window] of scopes) {
    window.moveTo(slot);
    if (window.isIdle) scopes.delete(scope);
  }
}
