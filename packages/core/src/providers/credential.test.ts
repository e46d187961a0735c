import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { isGatewayError } from '../errors.ts';
import { createCredential, EJECTED_MS, staticCredential } from './credential.ts';

/** A credential in a place where it can be changed, with a clock and a count of its readings. */
function createPlace(secret: string | Error) {
  const place = { secret, now: 1_000, readings: 0 };
  const credential = createCredential({
    read: async () => {
      place.readings++;
      // Everybody who will ask has asked.
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (place.secret instanceof Error) throw place.secret;
      return place.secret;
    },
    now: () => place.now,
  });
  return { place, credential };
}

/** The answers to this many requests at one time. */
function together<Value>(times: number, ask: () => Promise<Value>): Promise<Value[]> {
  return Promise.all(Array.from({ length: times }, ask));
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Ends with two readings, of which the provider has refused the later one too. */
async function ejected(secret: string) {
  const { place, credential } = createPlace(secret);
  const refreshed = await credential.refresh(await credential.load());
  credential.reject(refreshed);
  return { place, credential, refreshed };
}

describe('the first reading', () => {
  test('is made when it is needed, once for all who wait for it', async () => {
    const { place, credential } = createPlace('one');
    expect(credential.secret).toBeUndefined();
    expect(place.readings).toBe(0);
    const secrets = await together(100, () => credential.load());
    expect(new Set(secrets).size).toBe(1);
    expect(credential.secret).toBe(secrets[0]);
    expect(credential.secret?.text).toBe('one');
    await credential.load();
    expect(place.readings).toBe(1);
  });

  test('that fails ejects the credential, and is made again after its rest', async () => {
    const { place, credential } = createPlace(new Error('no such file'));
    const [error] = await together(100, () => errorOf(credential.load()));
    expect(error).toMatchObject({ code: 'upstream_auth', cause: place.secret });
    expect(credential.ejectedForMs()).toBe(EJECTED_MS);
    expect(await errorOf(credential.load())).toMatchObject({ code: 'upstream_auth' });
    expect(place.readings).toBe(1);

    place.secret = 'one';
    place.now += EJECTED_MS;
    expect((await credential.load()).text).toBe('one');
    expect(credential.ejectedForMs()).toBe(0);
  });
});

describe('a refresh', () => {
  test('is one reading for 100 requests that were refused at one time', async () => {
    const { place, credential } = createPlace('one');
    const used = await credential.load();
    place.secret = 'two';
    const secrets = await together(100, () => credential.refresh(used));
    expect(new Set(secrets.map(({ text }) => text))).toEqual(new Set(['two']));
    expect(place.readings).toBe(2);
  });

  test('gives whoever comes late the later reading, without another', async () => {
    const { place, credential } = createPlace('one');
    const used = await credential.load();
    const refreshed = await credential.refresh(used);
    expect(await credential.refresh(used)).toBe(refreshed);
    expect(place.readings).toBe(2);
  });

  test('lets whoever comes late wait for a reading that is under way', async () => {
    const { place, credential } = createPlace('one');
    const first = await credential.load();
    const second = await credential.refresh(first);
    place.secret = 'three';
    const [forSecond, forFirst] = await Promise.all([credential.refresh(second), credential.refresh(first)]);
    expect(forFirst).toBe(forSecond);
    expect(forFirst.text).toBe('three');
    expect(place.readings).toBe(3);
  });

  test('of a key that does not change gives the same key as a reading of its own', async () => {
    const credential = staticCredential('key', () => 0);
    const used = await credential.load();
    const refreshed = await credential.refresh(used);
    expect(refreshed).toEqual(used);
    expect(refreshed).not.toBe(used);
    expect(credential.ejectedForMs()).toBe(0);
  });

  test('that fails ejects the credential, and nobody reads again meanwhile', async () => {
    const { place, credential } = createPlace('one');
    const used = await credential.load();
    place.secret = new Error('no such file');
    await together(100, () => errorOf(credential.refresh(used)));
    expect(await errorOf(credential.refresh(used))).toMatchObject({ code: 'upstream_auth' });
    expect(place.readings).toBe(2);
    expect(credential.ejectedForMs()).toBe(EJECTED_MS);
  });

  test('that throws at once fails like any other', async () => {
    let [reads, now] = [0, 0];
    const read = (): never => {
      reads++;
      throw new Error('not now');
    };
    const credential = createCredential({ read, now: () => now });
    await errorOf(credential.load());
    now += EJECTED_MS;
    expect(await errorOf(credential.load())).toMatchObject({ code: 'upstream_auth' });
    expect(reads).toBe(2);
  });
});

describe('a credential that is refused twice', () => {
  test('rests for five minutes, and is then tried as it is', async () => {
    const { place, credential, refreshed } = await ejected('one');
    expect(credential.ejectedForMs()).toBe(EJECTED_MS);
    place.now += EJECTED_MS - 1;
    expect(credential.ejectedForMs()).toBe(1);
    place.now += 1;
    expect(credential.ejectedForMs()).toBe(0);
    expect(await credential.load()).toBe(refreshed);
    place.secret = 'two';
    expect((await credential.refresh(refreshed)).text).toBe('two');
  });

  test('is not read while it rests', async () => {
    const { place, credential, refreshed } = await ejected('one');
    expect(await errorOf(credential.refresh(refreshed))).toMatchObject({ code: 'upstream_auth' });
    expect(place.readings).toBe(2);
  });

  test('rests no more once a reading that was under way brings a new secret', async () => {
    const { place, credential } = createPlace('one');
    const refreshed = await credential.refresh(await credential.load());
    place.secret = 'two';
    const reading = credential.refresh(refreshed);
    credential.reject(refreshed);
    expect(credential.ejectedForMs()).toBe(EJECTED_MS);
    await reading;
    expect(credential.ejectedForMs()).toBe(0);
  });

  test('does not rest when there is a later reading', async () => {
    const { credential } = createPlace('one');
    const refreshed = await credential.refresh(await credential.load());
    await credential.refresh(refreshed);
    credential.reject(refreshed);
    expect(credential.ejectedForMs()).toBe(0);
  });
});

test('no error quotes the secret', async () => {
  const { credential, refreshed } = await ejected('top-secret');
  const error = await errorOf(credential.refresh(refreshed));
  expect(isGatewayError(error)).toBe(true);
  expect(inspect(error, { depth: 9 })).not.toContain('top-secret');
});
