import { RedisTimeout } from './says-away.ts';

/**
 * What `promise` gives, if it does so in time; a late rejection of it is then nobody's concern. By as much as this process is
 * late itself the time is longer, at most twice `ms`: the question may have been written late, and what has come by then is
 * looked at first.
 * @throws RedisTimeout after `ms`.
 */
export function withinMs<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const due = performance.now() + ms;
    const tooLate = (): void => reject(new RedisTimeout(`Redis gave no answer within ${ms} ms`));
    const lookOnceMore = (): void => void setImmediate(tooLate);
    let timer = setTimeout(() => {
      timer = setTimeout(lookOnceMore, Math.min(performance.now() - due, ms));
    }, ms);
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
