import { lookup, type LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isAllowed } from './provider-address.ts';

/** A `lookup` for outgoing connections that refuses names whose address is not a provider's business. */
export function guardedLookup({ allowPrivate }: { readonly allowPrivate: boolean }): LookupFunction {
  return (hostname, options, callback) => {
    // All addresses are judged, whichever of them would be tried first.
    const all: LookupOptions & { all: true } = { ...options, all: true };
    lookup(hostname, all, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      const refused = addresses.find((entry) => !isAllowed(entry.address, allowPrivate));
      if (refused !== undefined) {
        const denied = new Error(`${hostname} resolves to ${refused.address}, which is not allowed for this provider`);
        return callback(denied, '', 0);
      }
      const [first] = addresses;
      if (options.all === true || first === undefined) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}
