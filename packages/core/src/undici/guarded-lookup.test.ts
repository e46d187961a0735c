import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { guardedLookup } from './guarded-lookup.ts';
import { isAllowed } from './provider-address.ts';

const ALWAYS_REFUSED = [
  // Link-local and the metadata services of clouds
  '169.254.169.254',
  '169.254.0.1',
  '169.254.170.2',
  '100.100.100.200',
  '168.63.129.16',
  'fe80::1',
  'fe80::1%eth0',
  'febf::1',
  'fd00:ec2::254',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '0:0:0:0:0:ffff:a9fe:a9fe',
  '64:ff9b::169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:0:0:0:0:a9fe:a9fe',
  '::169.254.169.254',
  '2002:a9fe:a9fe::1',
  '2001:0:a9fe:a9fe::1',
  // No host at all
  '0.0.0.0',
  '0.1.2.3',
  '::',
  '::ffff:0.0.0.0',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  'ff02::1',
  '',
  'localhost',
  '127.1',
];

const PRIVATE = [
  '127.0.0.1',
  '127.255.255.254',
  '10.0.0.1',
  '10.255.255.255',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '100.127.255.255',
  '192.0.0.8',
  '198.18.0.1',
  '198.19.255.255',
  '::1',
  '::127.0.0.1',
  'fc00::1',
  'fd12:3456::1',
  'fec0::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '64:ff9b::127.0.0.1',
  '64:ff9b::c0a8:101',
  '64:ff9b:1::1',
];

const PUBLIC = [
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:80b::200e',
  '::ffff:1.1.1.1',
  '64:ff9b::1.1.1.1',
];

test.each(ALWAYS_REFUSED)('%o is never a provider', (address) => {
  expect(isAllowed(address, false)).toBe(false);
  expect(isAllowed(address, true)).toBe(false);
});

test.each(PRIVATE)('%s is one only where private addresses are allowed', (address) => {
  expect(isAllowed(address, false)).toBe(false);
  expect(isAllowed(address, true)).toBe(true);
});

test.each(PUBLIC)('%s may be one', (address) => {
  expect(isAllowed(address, false)).toBe(true);
  expect(isAllowed(address, true)).toBe(true);
});

test.each([
  ['2852039166', '169.254.169.254'],
  ['0xa9fea9fe', '169.254.169.254'],
  ['0251.0376.0251.0376', '169.254.169.254'],
  ['169.254.43518', '169.254.169.254'],
  ['0177.1', '127.0.0.1'],
  ['0', '0.0.0.0'],
])('the host %s is an address in disguise, which a URL takes off', (host, address) => {
  expect(new URL(`http://${host}/`).hostname).toBe(address);
  expect(isAllowed(address, false)).toBe(false);
});

describe('a name', () => {
  const resolve = (name: string, options: { allowPrivate: boolean; all: boolean }) =>
    new Promise<string | LookupAddress[]>((resolved, refused) => {
      guardedLookup(options)(name, { all: options.all }, (error, address) => {
        if (error === null) resolved(address);
        else refused(error);
      });
    });

  test.each([true, false])('that resolves to loopback is refused (all: %s)', async (all) => {
    await expect(resolve('localhost', { allowPrivate: false, all })).rejects.toThrow(
      /^localhost resolves to .* not allowed/,
    );
  });

  test('is resolved where private addresses are allowed, to one address or all of them', async () => {
    expect(await resolve('localhost', { allowPrivate: true, all: false })).toMatch(/^(127\.0\.0\.1|::1)$/);
    const [first] = await resolve('localhost', { allowPrivate: true, all: true });
    expect(first).toMatchObject({ address: expect.stringMatching(/^(127\.0\.0\.1|::1)$/) });
  });

  // The resolver reads such names as the address they stand for, whatever a URL would make of them.
  test.each(['2130706433', '0x7f000001', '0177.0.0.1', '127.1', '0', '0xa9fea9fe'])(
    '%s that is an address in disguise is refused',
    async (name) => {
      await expect(resolve(name, { allowPrivate: false, all: true })).rejects.toThrow();
    },
  );

  test('that does not exist is an error', async () => {
    await expect(resolve('nowhere.invalid', { allowPrivate: true, all: false })).rejects.toThrow();
  });
});
