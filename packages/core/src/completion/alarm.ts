import type { HttpAnswer } from '../providers/http-client.ts';
import { timeLeft, tooLate } from './send-request.ts';

/** Aborts an answer for which nobody waits any longer. */
export interface Alarm {
  /** From now on it goes off at this time, by the clock it was made with, and no longer at another. */
  set(endsAt: number): void;
  stop(): void;
}

/** An alarm that is not set yet. @param now milliseconds of a clock that never goes back. */
export function createAlarm(answer: HttpAnswer, now: () => number): Alarm {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => clearTimeout(timer);
  return {
    set(endsAt) {
      stop();
      timer = setTimeout(() => answer.abort(tooLate()), timeLeft({ endsAt, now }));
    },
    stop,
  };
}
