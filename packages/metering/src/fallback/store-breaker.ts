/** Knows whether the store is worth asking. */
export interface StoreBreaker {
  /** The store is not to be asked: it has failed some times in a row. */
  readonly isOpen: boolean;
  succeeded(): void;
  failed(): void;
  stop(): void;
}

export interface StoreBreakerOptions {
  /** Asked twice a second while the breaker is open; resolves when the store can do its work. */
  readonly probe: () => Promise<unknown>;
  /** Told of every change. */
  readonly onChange: (isOpen: boolean) => void;
}

const FAILURES = 5;
const PROBE_EVERY_MS = 500;

/** Opens after five failures in a row, and closes when a probe comes back. */
export function createStoreBreaker({ probe, onChange }: StoreBreakerOptions): StoreBreaker {
  let failures = 0;
  let isOpen = false;
  let isProbing = false;
  let timer: NodeJS.Timeout | undefined;

  function close(): void {
    clearInterval(timer);
    failures = 0;
    if (!isOpen) return;
    isOpen = false;
    onChange(false);
  }

  async function ask(): Promise<void> {
    if (isProbing) return;
    isProbing = true;
    try {
      await probe();
      close();
    } catch {
      // It is still away.
    } finally {
      isProbing = false;
    }
  }

  return {
    get isOpen() {
      return isOpen;
    },
    succeeded() {
      failures = 0;
    },
    failed() {
      failures++;
      if (isOpen || failures < FAILURES) return;
      isOpen = true;
      timer = setInterval(() => void ask(), PROBE_EVERY_MS);
      timer.unref();
      onChange(true);
    },
    stop: () => clearInterval(timer),
  };
}
