import type { ServerResponse } from 'node:http';
import type { Output } from '@tokenhub/core';

/**
 * Writes an answer to a caller as it comes and no faster than the caller reads: while the socket is full nothing
 * more is taken from the provider. Knows bytes, no JSON.
 * @throws what the output throws, or the signal's reason while the caller does not read.
 */
export async function writeOutput(
  response: ServerResponse,
  output: AsyncIterable<Output> | Iterable<Output>,
  signal: AbortSignal,
): Promise<void> {
  for await (const piece of output) {
    if (!response.write(piece)) await drained(response, signal);
  }
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      response.off('drain', settle);
      signal.removeEventListener('abort', settle);
      try {
        signal.throwIfAborted();
        resolve();
      } catch (reason) {
        reject(reason);
      }
    };
    response.on('drain', settle);
    signal.addEventListener('abort', settle);
    if (signal.aborted) settle();
  });
}
