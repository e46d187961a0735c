import { expect, test } from 'vitest';
import { createWorld, errorOf } from './__fixtures__/world.ts';
import { json } from './__fixtures__/scripts.ts';

test("a provider's refusal names the caller's own member, and nothing else that it says", async () => {
  const detail = [{ type: 'extra_forbidden', loc: ['body', 'seed'], msg: 'secret', input: 'secret' }];
  await using world = await createWorld({ providers: { a: json(422, { message: { detail } }) } });
  const error = await errorOf(world.open({ seed: 7 }));
  expect(error).toMatchObject({ code: 'upstream_rejected', param: 'seed' });
  expect(error.message).not.toContain('secret');
  expect((await errorOf(world.open())).param).toBeUndefined();
});
