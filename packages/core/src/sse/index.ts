export { encodeComment, encodeEvent } from './encode-sse.ts';
export type { SseLimits } from './limits.ts';
export { createSseParser } from './parse-sse.ts';
export type { SseEvent, SseParser, SseParserOptions } from './parse-sse.ts';
export { parseSseStream } from './parse-sse-stream.ts';
export { createEventSplitter } from './split-events.ts';
export type { EventSplitter, WholeEvents } from './split-events.ts';
