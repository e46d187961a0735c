import { PRESETS } from '@tokenhub/core';
import { classifyAddress } from '@tokenhub/core/provider-address';
import type { ProviderType } from './config.ts';

/** Names that clouds give to their metadata services. */
const METADATA_NAMES = ['metadata', 'metadata.google.internal', 'metadata.goog', 'instance-data'];

/**
 * Where a provider's paths hang, whichever way it was written: with one `/v1/`, or with none for Anthropic, whose paths have it.
 * @throws TypeError saying why the address cannot be a provider's. Names are judged again by what they resolve to, when connecting.
 */
export function parseBaseUrl(text: string, type: ProviderType, allowPrivate: boolean): URL {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text))
    throw new TypeError('must be an address such as https://api.example.com/v1');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw new TypeError('must not hold a user or password; use api_key');
  if (url.search !== '' || url.hash !== '') throw new TypeError('must not have a query or fragment');

  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const kind = classifyAddress(host);
  if (METADATA_NAMES.includes(host) || kind === 'forbidden') {
    throw new TypeError('must not be a link-local, metadata, multicast or unspecified address');
  }
  if (!allowPrivate) {
    const isPrivate = host === 'localhost' || host.endsWith('.localhost') || kind === 'private';
    if (isPrivate)
      throw new TypeError('is on loopback or in a private range; if that is meant, say allow_private: true');
    if (url.protocol === 'http:') throw new TypeError('must be https; if plain http is meant, say allow_private: true');
  }
  const path = url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '');
  url.pathname = PRESETS[type].hasVersionInPaths === true ? `${path}/` : `${path}/v1/`;
  return url;
}
