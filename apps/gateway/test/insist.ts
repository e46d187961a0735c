const MOST_TRIES = 10;
const BETWEEN_TRIES_MS = 100;
/** What is said to who is refused because the store of the quotas or of the keys was slow; nobody has been asked then. */
export const STORE_IS_SLOW = /The (?:quota store|store of the API keys) did not answer in time/;

/**
 * Sends again what was refused since the {@link STORE_IS_SLOW}. In these tests one process plays caller, gateway and
 * provider, so that on a busy machine its event loop may stand still for longer than a gateway waits for the store.
 */
export async function insist(send: () => Promise<Response>): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const response = await send();
    if (response.status !== 503 || tries === MOST_TRIES) return response;
    if (!STORE_IS_SLOW.test(await response.clone().text())) return response;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
  }
}

/** The same as a `fetch` for the official packages. */
export const insistentFetch: typeof fetch = (input, init) => insist(() => fetch(input, init));
