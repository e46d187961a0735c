import { connect, type Socket } from 'node:net';

/** A whole answer as the load generator saw it. */
export interface Answer {
  /** 0 when the connection broke; `body` then holds what had come. */
  readonly status: number;
  readonly body: string;
  /** Milliseconds from the request's due time to the first byte of the answer. */
  readonly firstByteMs: number;
}

export interface Exchange {
  readonly request: Uint8Array;
  /** `performance.now()` at which the request should have gone out; a late sender must not flatter the target. */
  readonly dueAt: number;
  readonly onAnswer: (answer: Answer) => void;
  /** Told how many events each read brought. */
  readonly onEvents?: (count: number) => void;
}

/**
 * One keep-alive HTTP/1.1 connection, one request at a time, on a bare socket: as little work of its own as possible, since the
 * load generator shares the machine with what it measures.
 */
export class Connection {
  readonly #socket: Socket;
  #exchange: Exchange | undefined;
  #firstByteMs = 0;
  #unread: Buffer = Buffer.alloc(0);
  #head: { readonly status: number; readonly chunked: boolean; readonly length: number } | undefined;
  /** Bytes of the current HTTP chunk that are still to come; -1 before its size line. */
  #chunkLeft = -1;
  #body = '';
  #tail = '';

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (bytes: Buffer) => this.#read(bytes));
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.on('close', () => this.#finish(0));
  }

  get idle(): boolean {
    return this.#exchange === undefined;
  }

  get open(): boolean {
    return !this.#socket.destroyed;
  }

  send(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#firstByteMs = 0;
    this.#socket.write(exchange.request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return this.close();
    if (this.#firstByteMs === 0) this.#firstByteMs = performance.now() - exchange.dueAt;
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    if (this.#head === undefined) this.#readHead();
    if (this.#head === undefined) return undefined;
    const before = this.#body.length;
    const complete = this.#head.chunked ? this.#readChunks() : this.#readLength();
    if (exchange.onEvents !== undefined) exchange.onEvents(this.#countEvents(before));
    if (complete) this.#finish(this.#head.status);
    return undefined;
  }

  #readHead(): void {
    const end = this.#unread.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#unread.toString('latin1', 0, end).toLowerCase();
    this.#unread = this.#unread.subarray(end + 4);
    this.#head = {
      status: Number(head.slice(9, 12)),
      chunked: head.includes('transfer-encoding: chunked'),
      length: Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0),
    };
    this.#chunkLeft = -1;
  }

  #readLength(): boolean {
    if (this.#unread.length < (this.#head?.length ?? 0)) return false;
    this.#body = this.#unread.toString('latin1');
    return true;
  }

  /** True when the last chunk has come. */
  #readChunks(): boolean {
    for (;;) {
      if (this.#chunkLeft < 0) {
        const lineEnd = this.#unread.indexOf('\r\n');
        if (lineEnd < 0) return false;
        const length = Number.parseInt(this.#unread.toString('latin1', 0, lineEnd), 16);
        if (length === 0) return this.#unread.length >= lineEnd + 4;
        this.#chunkLeft = length;
        this.#unread = this.#unread.subarray(lineEnd + 2);
      }
      const taken = Math.min(this.#chunkLeft, this.#unread.length);
      this.#body += this.#unread.toString('latin1', 0, taken);
      this.#chunkLeft -= taken;
      this.#unread = this.#unread.subarray(taken);
      // The line end after the chunk's bytes comes before the next size line.
      if (this.#chunkLeft > 0 || this.#unread.length < 2) return false;
      this.#unread = this.#unread.subarray(2);
      this.#chunkLeft = -1;
    }
  }

  /** Events whose `data: ` is complete since the last time; the tail is what may be half of one. */
  #countEvents(before: number): number {
    const text = this.#tail + this.#body.slice(before);
    this.#tail = text.slice(-5);
    let count = 0;
    for (let at = text.indexOf('data: '); at >= 0; at = text.indexOf('data: ', at + 6)) count++;
    return count;
  }

  #finish(status: number): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const answer = { status, body: this.#body, firstByteMs: this.#firstByteMs };
    this.#exchange = undefined;
    this.#head = undefined;
    this.#unread = Buffer.alloc(0);
    this.#body = '';
    this.#tail = '';
    exchange.onAnswer(answer);
  }
}
