import { expect, test } from 'vitest';
import { closeSchema } from './close-schema.ts';

test('closes objects at every depth, and leaves what is said and what is data', () => {
  const address = { type: ['object', 'null'], properties: { type: { const: { type: 'object' } } } };
  const schema = {
    type: 'object',
    properties: { a: { type: 'string' }, b: { type: 'array', items: address }, c: { $ref: '#/$defs/d' } },
    $defs: { d: { anyOf: [{ type: 'object' }, { type: 'object', additionalProperties: true }] } },
    enum: [{ type: 'object' }],
  };
  expect(closeSchema(schema)).toEqual({
    type: 'object',
    properties: {
      a: { type: 'string' },
      b: { type: 'array', items: { ...address, additionalProperties: false } },
      c: { $ref: '#/$defs/d' },
    },
    $defs: {
      d: {
        anyOf: [
          { type: 'object', additionalProperties: false },
          { type: 'object', additionalProperties: true },
        ],
      },
    },
    enum: [{ type: 'object' }],
    additionalProperties: false,
  });
});
