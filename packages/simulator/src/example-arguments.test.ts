import { expect, it } from 'vitest';
import { exampleArguments } from './example-arguments.ts';

it.each([
  [{ const: 7 }, 7],
  [{ enum: ['a', 'b'] }, 'a'],
  [{ type: ['string', 'null'] }, 'simulated'],
  [{ anyOf: [{ type: 'integer' }, { type: 'null' }] }, 1],
  [{ type: 'string', format: 'date' }, '2025-10-09'],
  [{ type: 'string', minLength: 11 }, 'simulated..'],
  [{ type: 'string', maxLength: 3 }, 'sim'],
  [{ type: 'integer', minimum: 3 }, 3],
  [{ type: 'integer', exclusiveMinimum: 3 }, 4],
  [{ type: 'integer', maximum: -2 }, -2],
  [{ type: 'integer', multipleOf: 5, minimum: 1 }, 5],
  [{ type: 'number', minimum: 0, maximum: 0.5 }, 0.5],
  [{ type: 'array', items: { type: 'boolean' } }, [true]],
  [{ type: 'array', items: { type: 'boolean' }, minItems: 2 }, [true, true]],
  [{ type: 'array', items: { type: 'boolean' }, maxItems: 0 }, []],
  [{ type: 'array', prefixItems: [{ type: 'null' }, { type: 'integer' }] }, [null, 1]],
  [{ allOf: [{ properties: { a: { const: 1 } } }, { properties: { b: { const: 2 } } }] }, { a: 1, b: 2 }],
  [{ properties: { a: { $ref: '#/$defs/A' } }, $defs: { A: { type: 'integer' } } }, { a: 1 }],
  [undefined, {}],
])('fits %j', (schema, value) => {
  expect(exampleArguments(schema)).toEqual(value);
});

it('comes to an end with a schema that contains itself', () => {
  const tree = {
    type: 'object',
    properties: { left: { $ref: '#' }, right: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
  };
  const list = { type: 'object', properties: { more: { type: 'array', items: { $ref: '#' } } }, required: ['more'] };
  const endless = { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] };
  for (const schema of [tree, list, endless])
    expect(JSON.stringify(exampleArguments(schema)).length).toBeLessThan(5_000);
});
