/** What a chaos proxy does to its connections. Every member is optional; without any, all passes untouched. */
export interface ChaosRules {
  /** From the client to the target. */
  readonly up?: DirectionRules;
  /** From the target to the client. */
  readonly down?: DirectionRules;
  /** New connections get a TCP reset at once; running ones go on. */
  readonly refuse?: boolean;
  /**
   * Everything is swallowed, ends included: running connections fall silent, new ones are accepted and never reach the target.
   * The latter stay dead when the rule is lifted.
   */
  readonly blackHole?: boolean;
  /**
   * When one side ends (FIN or RST) the other is not told: it believes the connection lives, and what it still says is swallowed.
   * It is told when the rule is lifted.
   */
  readonly halfOpen?: boolean;
}

/** What happens to one direction. Bytes are counted on each connection for itself, from `set()` or its own start. */
export interface DirectionRules {
  /** Milliseconds that bytes and ends come later. Up to 1 MiB is under way, then the source is no longer read. */
  readonly latencyMs?: number;
  /** Passed on evenly, in slices of 50 ms; the source is read no faster. 0 stops reading, so that the source's writes stall. */
  readonly bytesPerSecond?: number;
  /** All bytes are swallowed, as fast as they come; so is the end of this direction until the rule is lifted. */
  readonly drop?: boolean;
  /** So many bytes pass, then both sides get a TCP reset; with 0 they get it at once. */
  readonly resetAfterBytes?: number;
  /** The next so many bytes pass twice, the copy right behind them. */
  readonly duplicateBytes?: number;
  /** The next so many bytes pass with every bit turned over. */
  readonly corruptBytes?: number;
}

/** The rules as one direction has to follow them. */
export interface LaneRules extends DirectionRules {
  /** The end of this direction is not passed on. */
  readonly withholdsEnd: boolean;
}

export function toLaneRules(
  { blackHole = false, halfOpen = false, ...rules }: ChaosRules,
  lane: 'up' | 'down',
): LaneRules {
  const drop = blackHole || rules[lane]?.drop === true;
  return { ...rules[lane], drop, withholdsEnd: drop || halfOpen };
}
