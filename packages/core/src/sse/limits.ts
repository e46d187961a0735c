/** How much of a stream may wait in memory. Past a limit the stream is refused with `upstream_protocol`. */
export interface SseLimits {
  /**
   * Most bytes of one line, its line end not counted.
   * @defaultValue 1_048_576
   */
  readonly maxLineBytes?: number | undefined;
  /**
   * Most bytes of one event. A single line must keep within it too.
   * @defaultValue 4_194_304
   */
  readonly maxEventBytes?: number | undefined;
}

export const DEFAULT_MAX_LINE_BYTES = 1024 * 1024;
export const DEFAULT_MAX_EVENT_BYTES = 4 * 1024 * 1024;
/** Most `data` lines of one event that the parser accepts. */
export const MAX_DATA_LINES = 1024;
