import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import {
  startChaosProxy,
  startConnectBlackHole,
  type ChaosProxy,
  type ConnectBlackHole,
  type Simulator,
} from '@tokenhub/simulator';

export const PROVIDER_TYPES = ['openai', 'anthropic', 'vllm'] as const;
export type ProviderType = (typeof PROVIDER_TYPES)[number];

/** Where a provider hangs below an origin. */
export const API_PATHS: Readonly<Record<ProviderType, string>> = {
  openai: '/openai/v1',
  anthropic: '/anthropic',
  vllm: '/vllm/v1',
};

export interface Timeouts {
  readonly connect_ms?: number;
  readonly first_event_ms?: number;
  readonly whole_answer_ms?: number;
  readonly idle_ms?: number;
  readonly progress_ms?: number;
  readonly total_ms?: number;
}

export interface ProviderEntry {
  readonly id: string;
  readonly type: ProviderType;
  /** Of the simulator, as in `status=503`; absent: a good one. */
  readonly directives?: string | undefined;
  /** Absent: the simulator. */
  readonly origin?: string | undefined;
  readonly timeouts?: Timeouts | undefined;
  readonly maxConnections?: number | undefined;
}

/** The path under which the simulator sees the requests of a provider, up to the wire's own. */
export function simulatedPath(id: string, directives: string | undefined): string {
  const all = directives === undefined ? `label=${id}` : `${directives},label=${id}`;
  return `/sim/${all.replaceAll('/', '%2F')}`;
}

/** The providers of a configuration, each under a path of its own at the simulator so that it can be told from the others. */
export function toProviders(entries: readonly ProviderEntry[]): object[] {
  return entries.map(({ id, type, directives, origin = '${SIMULATOR}', timeouts, maxConnections }) => ({
    id,
    type,
    base_url: `${origin}${simulatedPath(id, directives)}${API_PATHS[type]}`,
    api_key: 'sk-simulated',
    allow_private: true,
    ...(timeouts && { timeouts }),
    ...(maxConnections !== undefined && { max_connections: maxConnections }),
  }));
}

export interface ModelEntry {
  readonly id: string;
  /** The ids of those who serve it. */
  readonly providers: readonly string[];
  readonly context_window?: number;
  readonly price?: 'free' | { readonly input: string; readonly output: string };
}

/** A whole configuration with one key without limits, as text: JSON is YAML too. */
export function toConfigText(providers: readonly object[], models: readonly ModelEntry[], more: object = {}): string {
  return JSON.stringify({
    providers,
    models: models.map(({ providers: ids, price = 'free', ...model }) => ({
      ...model,
      deployments: ids.map((provider) => ({ provider, model: 'm' })),
      price,
    })),
    keys: [{ id: 'test', key: '${KEY}', models: ['*'] }],
    ...more,
  });
}

/** The requests that one provider of {@link toProviders} got. */
export function requestsAt(simulator: Simulator, id: string): Simulator['requests'] {
  // The label is the last of the directives.
  return simulator.requests.filter(({ path }) => path.includes(`label=${id}/`));
}

/** Addresses at which nothing good can come of a connection. */
export interface BadAddresses {
  /** Nobody listens. */
  readonly refusing: string;
  /** Connects hang. */
  readonly hanging: string;
  /** Connections are accepted and reset at once. */
  readonly resetting: string;
  /** Connections are accepted, and what comes is swallowed. */
  readonly mute: string;
  /** TLS is spoken to a server of plain HTTP. */
  readonly plain: string;
  /** TLS is spoken to a server that says nothing. */
  readonly muteTls: string;
  /** Connections of gateways that are open to {@link mute} and {@link muteTls} now. */
  readonly openConnections: () => number;
  close(): Promise<void>;
}

export async function startBadAddresses(simulator: { readonly port: number }): Promise<BadAddresses> {
  const proxies: ChaosProxy[] = await Promise.all([
    startChaosProxy({ target: simulator, rules: { refuse: true } }),
    startChaosProxy({ target: simulator, rules: { blackHole: true } }),
  ]);
  const hole: ConnectBlackHole = await startConnectBlackHole();
  const [resetting, mute] = proxies;
  return {
    refusing: `http://127.0.0.1:${await findFreePort()}`,
    hanging: hole.url,
    resetting: resetting?.url ?? '',
    mute: mute?.url ?? '',
    plain: `https://127.0.0.1:${simulator.port}`,
    muteTls: `https://127.0.0.1:${mute?.port}`,
    openConnections: () => mute?.connections ?? 0,
    close: async () => void (await Promise.all([...proxies, hole].map((one) => one.close()))),
  };
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
