import type { ServerResponse } from 'node:http';
import type { LogEntry } from './request-log.ts';
import { countTokens, toBurst, type Piece, type Script } from './script.ts';
import type { Tickers } from './ticker.ts';

export interface Stage {
  readonly response: ServerResponse;
  readonly entry: LogEntry;
  readonly tickers: Tickers;
}

const POISON_DELAY_MS = 20;

/** Sends what the script says; returns at once. */
export function play(script: Script, stage: Stage): void {
  if (script.delayMs === 0) begin(script, stage);
  else stage.tickers.once(script.delayMs, () => begin(script, stage));
}

function begin(script: Script, stage: Stage): void {
  const { response, entry, tickers } = stage;
  if (response.destroyed) return;
  if (script.withheld === true) {
    end(script, stage);
    return;
  }
  const { pieces, paceMs } = script;
  entry.status = script.status;

  if (paceMs === 0 && script.separate !== true) {
    const { bytes, tokens } = toBurst(pieces);
    entry.tokensSent = tokens;
    if (script.ending === 'end' && script.endless === undefined) {
      if (!('transfer-encoding' in script.headers)) response.setHeader('content-length', bytes.length);
      response.writeHead(script.status, script.headers).end(bytes);
      poisonSocket(script, stage);
      return;
    }
    response.writeHead(script.status, script.headers);
    if (bytes.length > 0) response.write(bytes);
    else response.flushHeaders();
    finish(script, stage);
    return;
  }

  response.writeHead(script.status, script.headers).flushHeaders();
  const burst = paceMs === 0 ? pieces.length : script.burst;
  let sent = 0;
  const step = (): boolean => {
    if (response.destroyed) return false;
    // A reader that has stopped reading is waited for, as a model's server would.
    if (response.writableNeedDrain) return true;
    const due = pieces.slice(sent, sent + burst);
    if (script.separate === true) response.socket?.write(toChunks(due));
    else for (const piece of due) response.write(piece.bytes);
    entry.tokensSent += countTokens(due);
    sent += due.length;
    if (sent < pieces.length) return true;
    finish(script, stage);
    return false;
  };
  if (step()) tickers.every(Math.max(1, paceMs), step);
}

/** Node joins what is written within one turn into one HTTP chunk, so chunks of their own are framed here. */
function toChunks(pieces: readonly Piece[]): Buffer {
  const lineEnd = Buffer.from('\r\n');
  return Buffer.concat(
    pieces.flatMap(({ bytes }) => [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, lineEnd]),
  );
}

function finish(script: Script, stage: Stage): void {
  if (script.endless === undefined) end(script, stage);
  else if (script.endless.paceMs > 0) trickle(script.endless, stage);
  else pour(script.endless, stage, () => end(script, stage));
}

function end(script: Script, { response, entry, tickers }: Stage): void {
  switch (script.ending) {
    case 'hang':
      return;
    case 'end':
      response.end();
      poisonSocket(script, { response, entry, tickers });
      return;
    case 'reset':
    case 'disconnect': {
      entry.outcome = 'broken';
      // What was written before must arrive, so the socket dies only when it has taken it all.
      const { socket } = response;
      const kill = (): void => void (script.ending === 'reset' ? socket?.resetAndDestroy() : socket?.destroy());
      socket?.write('', kill);
      return;
    }
  }
}

type Endless = NonNullable<Script['endless']>;

function trickle({ bytes, paceMs }: Endless, { response, tickers }: Stage): void {
  tickers.every(paceMs, () => {
    if (response.destroyed) return false;
    if (!response.writableNeedDrain) response.write(bytes);
    return true;
  });
}

/** Writes as fast as the reader reads and no faster. */
function pour({ bytes, times }: Endless, { response }: Stage, done: () => void): void {
  let left = times;
  const next = (): void => {
    while (left > 0 && !response.destroyed) {
      left--;
      if (!response.write(bytes)) {
        response.once('drain', next);
        return;
      }
    }
    if (!response.destroyed) done();
  };
  next();
}

function poisonSocket({ poison }: Script, { response, tickers }: Stage): void {
  const { socket } = response;
  if (poison === undefined || socket === null) return;
  tickers.once(POISON_DELAY_MS, () => void (socket.writable && socket.write(poison)));
}
