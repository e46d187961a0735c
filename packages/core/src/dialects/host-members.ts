/**
 * Members by which other gateways and client libraries choose the host, the credentials or the headers of the request to
 * the provider. Here only the configuration does: a caller who could set them could reach inside the network.
 */
export const HOST_MEMBERS: ReadonlySet<string> = new Set([
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
