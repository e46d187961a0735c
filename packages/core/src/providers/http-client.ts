/** The HTTP client as this package needs it; `@tokenhub/core/undici` makes one, a test may make another. */
export interface HttpClient {
  /**
   * Sends a POST and gives the answer as soon as its headers are there. Whoever calls this must read the body to its
   * end, call `discard`, or abort the signal.
   * @throws GatewayError `upstream_unavailable` (refused, reset, TLS, DNS), `upstream_timeout` (connect, headers),
   * `upstream_busy` (no connection was free in time), `overloaded` (this machine has no sockets left), or the signal's reason.
   */
  post(request: HttpRequest): Promise<HttpAnswer>;
}

/** A POST to a provider. */
export interface HttpRequest {
  /** Origin and path of the provider; only ever from the configuration. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Ends the exchange in any phase; the provider's socket is closed at once. */
  readonly signal: AbortSignal;
  /** Longest wait for the answer's headers, in milliseconds, the wait for a connection included. */
  readonly headersTimeoutMs: number;
  /** Longest silence between two reads of the answer's body, in milliseconds; absent: the client's own. */
  readonly idleTimeoutMs?: number | undefined;
}

/** An answer whose headers are there and whose body comes. */
export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; of a repeated header the last value. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /**
   * The body as it comes: each value is what one read of the socket gave. The provider is paused while nobody asks.
   * May be iterated once. @throws GatewayError `upstream_disconnected` when cut, `upstream_timeout` when silent for too long.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** The rest is of no interest: lets a nearly finished answer end so that its connection can be used again, else closes it. */
  discard(): void;
  /** Closes the connection at once; whoever waits for the body gets `reason`. */
  abort(reason: Error): void;
}
