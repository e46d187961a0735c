import type { z } from 'zod';

export type Surface = 'chat completions' | 'messages' | 'responses';

/** What a library is told of the gateway; nothing else of it is configured. */
export interface Caller {
  /** The gateway's address, without a path. */
  readonly url: string;
  readonly apiKey: string;
  readonly model: string;
}

export interface Question extends Caller {
  readonly prompt: string;
  readonly stream: boolean;
  /** The stream is to say its usage, where a library must ask for that. */
  readonly wantsUsage?: boolean;
  readonly signal?: AbortSignal;
  /** Called with each piece of a streamed text. */
  readonly onText?: (piece: string) => void;
}

export interface Reply {
  readonly text: string;
  /** `undefined` where the library was told none. */
  readonly usage?: { readonly input: number | undefined; readonly output: number | undefined } | undefined;
}

/** A function that the model may call; `run` is called by the library or by the client's own loop. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly parameters: z.ZodObject<{ city: z.ZodString }>;
  readonly run: (city: string) => string;
}

/** Two turns; in the second the library sends back what it got in the first. */
export interface Thoughts {
  readonly reasoning: string;
  readonly first: string;
  readonly second: string;
}

/** What the gateway answers to each kind of failure. */
export const STATUSES = {
  'bad request': 400,
  unauthorized: 401,
  'payment required': 402,
  forbidden: 403,
  'not found': 404,
  'too large': 413,
  'rate limit': 429,
  'server error': 502,
  overloaded: 503,
  timeout: 504,
} as const;

export type ErrorKind = keyof typeof STATUSES;

/** A client library at work. A function that is absent is a thing that the library does not have. */
export interface Client {
  /** The package, and which of its APIs, in markdown. */
  readonly name: string;
  readonly package: string;
  readonly surface: Surface;
  ask(question: Question): Promise<Reply>;
  /** Calls the tool until the model answers in text. */
  callTools?(question: Question, tool: Tool): Promise<Reply>;
  /** An answer of the schema, as the library reads it. */
  fillIn?(question: Question, schema: z.ZodType): Promise<unknown>;
  readonly think?: ((question: Question) => Promise<Thoughts>) | undefined;
  /** Asks about an image, given as base64 of a PNG. */
  see?(question: Question, png: string): Promise<Reply>;
  /** Asks about a document, given as base64 of a PDF. */
  study?(question: Question, pdf: string): Promise<Reply>;
  /** Whether it is the library's own error for this, the one that its documentation tells callers to catch. */
  isError(error: unknown, kind: ErrorKind): boolean;
  /** What it is known to do wrong itself, however right the gateway is, and what is not tried with it. */
  readonly notes?: readonly Note[];
}

export interface Note {
  readonly scenario: ScenarioName;
  /** Absent: all cases of the scenario. */
  readonly case?: string;
  /** Absent: with all models. */
  readonly model?: string;
  readonly why: string;
}

export const LOSES_SIGNATURES =
  'The library does not keep `reasoning_details`, in which the signature is. Anthropic refuses reasoning without one, so TokenHub leaves it out, and the second turn is answered without.';

/** For a library that has all of this, and is tried with plain text only. */
export const TEXT_ONLY: readonly Note[] = (
  ['tools', 'structured output', 'reasoning', 'reasoning sent back', 'images', 'documents'] as const
).map((scenario) => ({ scenario, why: 'Not tried: this library is tried with plain text only.' }));

export type ScenarioName =
  | 'plain'
  | 'streamed'
  | 'usage'
  | 'usage of a stream'
  | 'tools'
  | 'structured output'
  | 'reasoning'
  | 'reasoning sent back'
  | 'images'
  | 'documents'
  | 'abort'
  | 'errors'
  | 'broken stream';
