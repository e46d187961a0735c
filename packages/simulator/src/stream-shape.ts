import type { Directives } from './directives.ts';
import type { Piece } from './script.ts';

const LINE_ENDS = { lf: ['\n'], crlf: ['\r\n'], cr: ['\r'], mixed: ['\r\n', '\n', '\r'] };

/** The same events spelled otherwise, as the specification of event streams allows: line ends, byte order mark, comments. */
export function shapeStream(pieces: readonly Piece[], directives: Directives): readonly Piece[] {
  const { newline = 'lf', bom = false, comments = false } = directives;
  if (newline === 'lf' && !bom && !comments) return pieces;
  const lineEnds = LINE_ENDS[newline];
  let line = 0;
  return pieces.map(({ kind, bytes }, index) => {
    const text = `${bom && index === 0 ? '\uFEFF' : ''}${comments ? `: comment ${index}\n` : ''}${Buffer.from(bytes).toString()}`;
    return { kind, bytes: Buffer.from(text.replaceAll('\n', () => lineEnds[line++ % lineEnds.length] ?? '\n')) };
  });
}
