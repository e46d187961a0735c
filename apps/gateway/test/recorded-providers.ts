import { existsSync, globSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PRESET_NAMES, type PresetName } from '@tokenhub/core';

/** What real providers sent; not there for users of the project. */
export const WIRE = join(import.meta.dirname, '../../../../shared/wire');

/** What a reader must make of a recording. */
export interface Expected {
  readonly text: string;
  readonly reasoning: string;
  readonly refusal?: string;
  /** `arguments` as text, or with Anthropic's complete answers `input`. */
  readonly tool_calls: readonly {
    readonly id?: string;
    readonly name: string;
    readonly arguments?: string;
    readonly input?: unknown;
  }[];
  readonly finish_reason: string | null;
  /** Anthropic's own word for it. */
  readonly stop_reason?: string | null;
  readonly error: unknown;
  readonly usage: Readonly<Record<string, number | null>> | null;
  /** Anthropic's content, in streams only. */
  readonly blocks?: readonly {
    readonly type: string;
    readonly signature_length?: number;
    readonly citations?: number;
  }[];
}

/** What an error answer says. */
export interface ExpectedError {
  readonly status: number;
  readonly message: string | null;
  readonly param: string | null;
  readonly retry_after_s?: number | null;
}

/** One recording of a provider: a stream, a complete answer, or an error answer. */
export interface Recording {
  /** Its path without ending, which also names the model that serves it. */
  readonly name: string;
  readonly dialect: 'openai' | 'anthropic';
  /** The folder that it lies in, which is the provider's name. */
  readonly provider: string;
  readonly body: Buffer;
  readonly status: number;
  /** Those that a gateway reads. */
  readonly headers: Readonly<Record<string, string>>;
  readonly expected: Expected & ExpectedError;
}

const ENDINGS = { stream: 'sse', answer: 'body', error: 'body' } as const;
const READ_HEADERS = ['content-type', 'retry-after', 'retry-after-ms', 'x-should-retry'];
const PATTERNS = { stream: '*/*.json', answer: '*/nonstream/*.json', error: '*/errors/*.json' } as const;

/** All recordings of a kind; none where there are no recordings. */
export function readRecordings(kind: keyof typeof PATTERNS): Recording[] {
  if (!existsSync(WIRE)) return [];
  return globSync(PATTERNS[kind], { cwd: WIRE })
    .toSorted()
    .map((file) => {
      const facts = JSON.parse(readFileSync(join(WIRE, file), 'utf8')) as {
        dialect?: string;
        status?: number;
        response_headers?: Record<string, string>;
        expected: Expected & ExpectedError;
      };
      const contentType = kind === 'stream' ? 'text/event-stream' : 'application/json';
      const sent = Object.entries(facts.response_headers ?? {}).filter(([name]) => READ_HEADERS.includes(name));
      return {
        name: file.replace(/\.json$/, ''),
        dialect: facts.dialect === 'anthropic-messages' || file.startsWith('anthropic/') ? 'anthropic' : 'openai',
        provider: file.split('/')[0] ?? '',
        body: readFileSync(join(WIRE, file.replace(/json$/, ENDINGS[kind]))),
        status: kind === 'error' ? (facts.status ?? 500) : 200,
        headers: { 'content-type': contentType, ...(kind === 'error' && Object.fromEntries(sent)) },
        expected: facts.expected,
      };
    });
}

/** The preset of a folder; what has none of its own is configured by its dialect. */
export function presetOf({ provider, dialect }: Pick<Recording, 'provider' | 'dialect'>): PresetName {
  if (dialect === 'anthropic') return dialect;
  return PRESET_NAMES.find((name) => name === provider) ?? dialect;
}

export interface RecordedProviders {
  /** A configuration with one provider and one model for each recording. */
  readonly config: string;
  close(): Promise<void>;
}

/** Serves every recording at an address of its own, so that none counts against another's health. */
export async function startRecordedProviders(recordings: readonly Recording[]): Promise<RecordedProviders> {
  const server: Server = createServer((request, response) => {
    const recording = recordings[Number(/^\/(\d+)\//.exec(request.url ?? '')?.[1])];
    request.resume().on('end', () => {
      if (recording === undefined) response.writeHead(500).end();
      else response.writeHead(recording.status, recording.headers).end(recording.body);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const providers = recordings.map((recording, i) => {
    const { dialect } = recording;
    const base = `${url}/${i}${dialect === 'openai' ? '/v1' : ''}`;
    const apis = dialect === 'openai' ? '[chat]' : '[messages]';
    return `  - { id: p${i}, type: ${presetOf(recording)}, base_url: "${base}", api_key: k, allow_private: true, apis: ${apis} }`;
  });
  const models = recordings.map(
    ({ name }, i) =>
      `  - { id: ${name}, weight: 5, deployments: [{ provider: p${i}, model: m }], price: { input: "1", output: "2" } }`,
  );
  return {
    config: `providers:\n${providers.join('\n')}\nmodels:\n${models.join('\n')}\nrouting: { max_attempts: 1 }\nkeys:\n  - { id: test, key: "\${KEY}", models: ["*"] }\n`,
    close: () => new Promise((resolve) => server.close(() => resolve()).closeAllConnections()),
  };
}
