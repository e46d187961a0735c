import { RedisTimeout } from './says-away.ts';

/**
 * What `promise` gives, if it does so in time; a late rejection of it is then nobody's concern. Where this process was late
 * itself, the answer may have come and not been read yet: what has come by then is looked at first.
 * @throws RedisTimeout after `ms`.
 */
export function withinMs<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const tooLate = (): void => reject(new RedisTimeout(`Redis gave no answer within ${ms} ms`));
    const timer = setTimeout(() => setImmediate(tooLate), ms);
    const inTime =
      <V>(end: (value: V) => void) =>
      (value: V): void => {
        clearTimeout(timer);
        end(value);
      };
    promise.then(inTime(resolve), inTime(reject));
  });
}

/** True when what was asked is answered well, and in time. */
export function answersWithin(asked: Promise<unknown>, ms: number): Promise<boolean> {
  return withinMs(asked, ms).then(
    () => true,
    () => false,
  );
}
