import { BlockList, isIP } from 'node:net';
import type { ProviderType } from './config.ts';

/** Where clouds keep their metadata services, and what is no host at all: never a provider's address. */
const FORBIDDEN = blockList(
  ['0.0.0.0/8', '169.254.0.0/16', '100.100.100.200/32', '168.63.129.16/32', '224.0.0.0/3'],
  ['::/128', 'fe80::/10', 'fd00:ec2::/32', 'ff00::/8'],
);
/** Loopback and private ranges. */
const PRIVATE = blockList(
  ['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '172.16.0.0/12', '192.0.0.0/24', '192.168.0.0/16', '198.18.0.0/15'],
  ['::1/128', 'fc00::/7'],
);
const METADATA_NAMES = ['metadata', 'metadata.google.internal', 'metadata.goog', 'instance-data'];

export const PUBLIC_BASE_URLS: Readonly<Partial<Record<ProviderType, string>>> = {
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com',
};

/**
 * Where a provider's paths hang, whichever way it was written: with one `/v1/` for OpenAI's API, with none for Anthropic's.
 * @throws TypeError saying why the address cannot be a provider's. Names are judged again by what they resolve to, when connecting.
 */
export function parseBaseUrl(text: string, type: ProviderType, allowPrivate: boolean): URL {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text))
    throw new TypeError('must be an address such as https://api.example.com/v1');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw new TypeError('must not hold a user or password; use api_key');
  if (url.search !== '' || url.hash !== '') throw new TypeError('must not have a query or fragment');

  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (METADATA_NAMES.includes(host) || contains(FORBIDDEN, host)) {
    throw new TypeError('must not be a link-local, metadata, multicast or unspecified address');
  }
  if (!allowPrivate) {
    const isPrivate = host === 'localhost' || host.endsWith('.localhost') || contains(PRIVATE, host);
    if (isPrivate)
      throw new TypeError('is on loopback or in a private range; if that is meant, say allow_private: true');
    if (url.protocol === 'http:') throw new TypeError('must be https; if plain http is meant, say allow_private: true');
  }
  const path = url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '');
  url.pathname = type === 'anthropic' ? `${path}/` : `${path}/v1/`;
  return url;
}

function contains(list: BlockList, host: string): boolean {
  const family = isIP(host);
  return family !== 0 && list.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

function blockList(ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList();
  // An IPv4 range also holds for the address written inside IPv6: mapped (::ffff:) natively, NAT64 (64:ff9b::) as a range of its own.
  for (const range of ipv4) {
    const [network = '', bits = ''] = range.split('/');
    list.addSubnet(network, Number(bits), 'ipv4');
    list.addSubnet(`64:ff9b::${network}`, 96 + Number(bits), 'ipv6');
  }
  for (const range of ipv6) {
    const [network = '', bits = ''] = range.split('/');
    list.addSubnet(network, Number(bits), 'ipv6');
  }
  return list;
}
