import { BlockList, isIP } from 'node:net';

/** Never a provider's address: link-local, the metadata services of clouds, multicast, the unspecified, and tunnels. */
const FORBIDDEN = blockList(
  ['0.0.0.0/8', '169.254.0.0/16', '100.100.100.200/32', '168.63.129.16/32', '224.0.0.0/3'],
  // `::169.254.0.0` is IPv4 in its oldest disguise; 6to4 and Teredo carry an IPv4 address of anybody's choice.
  ['::/128', '::169.254.0.0/112', '2002::/16', '2001::/32', 'fe80::/10', 'fd00:ec2::/32', 'ff00::/8'],
);
/** Loopback and private ranges, open only to a provider marked `allow_private`. */
const PRIVATE = blockList(
  ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '192.0.0.0/24', '198.18.0.0/15'],
  ['::/96', '64:ff9b:1::/48', 'fc00::/7', 'fec0::/10'],
);

/**
 * Whose business an IP address is: `public` any provider's, `private` one's that is marked `allow_private`, `forbidden`
 * nobody's. `undefined` for what is no IP address.
 */
export function classifyAddress(address: string): 'public' | 'private' | 'forbidden' | undefined {
  const version = isIP(address);
  if (version === 0) return undefined;
  const family = version === 6 ? 'ipv6' : 'ipv4';
  if (FORBIDDEN.check(address, family)) return 'forbidden';
  return PRIVATE.check(address, family) ? 'private' : 'public';
}

/** True when a provider may be at this IP address. */
export function isAllowed(address: string, allowPrivate: boolean): boolean {
  const kind = classifyAddress(address);
  return kind === 'public' || (kind === 'private' && allowPrivate);
}

function blockList(ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList();
  // An IPv4 range also holds for its addresses inside IPv6: mapped ones (::ffff:) by themselves, NAT64 as a range of its own.
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
