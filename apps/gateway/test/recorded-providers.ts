import { existsSync, globSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** What real providers sent; not there for users of the project. */
export const WIRE = join(import.meta.dirname, '../../../../shared/wire');

/** What a reader must make of a recording. */
export interface Expected {
  readonly text: string;
  readonly reasoning: string;
  readonly refusal?: string;
  /** `arguments` as text, or with Anthropic's complete answers `input`. */
  readonly tool_calls: readonly { readonly name: string; readonly arguments?: string; readonly input?: unknown }[];
  readonly finish_reason: string | null;
  readonly error: unknown;
  readonly usage: Readonly<Record<string, number | null>> | null;
}

/** One recording of a provider: a stream, a complete answer, or an error answer. */
export interface Recording {
  /** Its path without ending, which also names the model that serves it. */
  readonly name: string;
  readonly type: 'openai' | 'anthropic';
  readonly body: Buffer;
  readonly status: number;
  readonly contentType: string;
  readonly expected: Expected;
}

const ENDINGS = { stream: 'sse', answer: 'body', error: 'body' } as const;
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
        expected: Expected;
      };
      return {
        name: file.replace(/\.json$/, ''),
        type: facts.dialect === 'anthropic-messages' || file.startsWith('anthropic/') ? 'anthropic' : 'openai',
        body: readFileSync(join(WIRE, file.replace(/json$/, ENDINGS[kind]))),
        status: kind === 'error' ? (facts.status ?? 500) : 200,
        contentType: kind === 'stream' ? 'text/event-stream' : 'application/json',
        expected: facts.expected,
      };
    });
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
      else response.writeHead(recording.status, { 'content-type': recording.contentType }).end(recording.body);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const providers = recordings.map(({ name, type: dialect }, i) => {
    // What it sends needs its quirks.
    const type = name.startsWith('mistral/') ? 'mistral' : dialect;
    const base = `${url}/${i}${dialect === 'openai' ? '/v1' : ''}`;
    const apis = dialect === 'openai' ? ', apis: [chat]' : '';
    return `  - { id: p${i}, type: ${type}, base_url: "${base}", api_key: k, allow_private: true${apis} }`;
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
