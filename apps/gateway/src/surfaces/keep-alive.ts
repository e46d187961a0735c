import { encodeComment } from '@tokenhub/core';

/** The sign of life where a format has none of its own: a comment, which clients pass over. */
export const KEEP_ALIVE_COMMENT = encodeComment('keep-alive');
