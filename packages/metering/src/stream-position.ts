/** Compares positions in a stream of Redis, `<milliseconds>-<number>`: negative when the first comes before the other. */
export function comparePositions(one: string, other: string): number {
  const [oneMs, oneNumber] = parse(one);
  const [otherMs, otherNumber] = parse(other);
  return oneMs - otherMs || oneNumber - otherNumber;
}

function parse(position: string): readonly [ms: number, number: number] {
  const [ms = '0', number = '0'] = position.split('-');
  return [Number(ms), Number(number)];
}

/** The milliseconds of a position: when its entry was added, by the store's clock. */
export function timeOf(position: string): number {
  return parse(position)[0];
}
