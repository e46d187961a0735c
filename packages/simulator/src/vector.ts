import { createHash } from 'node:crypto';
import { createRandom } from './words.ts';

/** A vector of length 1 that stands for the text, the same for the same text, in single precision. */
export function toUnitVector(text: string, dimensions: number): Float32Array {
  const random = createRandom(createHash('sha256').update(text).digest().readUInt32LE());
  const direction = Array.from({ length: dimensions }, () => 2 * random() - 1);
  const length = Math.hypot(...direction) || 1;
  return Float32Array.from(direction, (part) => part / length);
}

/** The vector's little-endian bytes in base64. */
export function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(4 * vector.length);
  for (const [index, part] of vector.entries()) bytes.writeFloatLE(part, 4 * index);
  return bytes.toString('base64');
}
