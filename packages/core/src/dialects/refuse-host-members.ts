import { isJsonObject, type JsonValue } from '../chat/json.ts';
import { GatewayError } from '../errors.ts';

/**
 * Members by which other gateways and client libraries choose the host, the credentials or the headers of the request to
 * the provider. Here only the configuration does: a caller who could set them could reach inside the network.
 */
const HOST_MEMBERS: ReadonlySet<string> = new Set([
  'api_base',
  'api_host',
  'api_key',
  'api_url',
  'base_url',
  'baseURL',
  'custom_llm_provider',
  'default_headers',
  'extra_body',
  'extra_headers',
  'extra_query',
  'http_proxy',
  'https_proxy',
  'proxies',
  'proxy',
  'proxy_url',
  'user_config',
]);

/**
 * Refuses a body that names a host anywhere but in `dataMembers`, which hold the caller's own data or a JSON Schema of it:
 * in those any name may occur. A member of the body itself is named with a slash before it.
 * @throws GatewayError `unknown_parameter`.
 */
export function refuseHostMembers(body: JsonValue, dataMembers: ReadonlySet<string>, path = ''): void {
  if (isJsonObject(body)) {
    for (const name of Object.keys(body)) {
      const memberPath = path === '' ? name : `${path}.${name}`;
      if (HOST_MEMBERS.has(name)) throw refusal(memberPath);
      const member = body[name];
      if (typeof member === 'object' && !dataMembers.has(path === '' ? `/${name}` : name))
        refuseHostMembers(member, dataMembers, memberPath);
    }
  } else if (Array.isArray(body)) {
    for (let i = 0; i < body.length; i++) {
      const entry: JsonValue = body[i];
      if (typeof entry === 'object') refuseHostMembers(entry, dataMembers, `${path}[${i}]`);
    }
  }
}

function refusal(param: string): GatewayError {
  return new GatewayError(
    'unknown_parameter',
    `${param} is not a parameter of this API: hosts, credentials and headers of providers come from the configuration alone. Leave it out.`,
    { param },
  );
}
