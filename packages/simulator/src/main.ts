import { parseArgs } from 'node:util';
import { startSimulator } from './start-simulator.ts';

const HELP = `Usage: node main.js [--host HOST] [--port PORT] [--recordings DIR] [--pace MS]

Serves simulated OpenAI, vLLM and Anthropic APIs and prints the address. No model is behind them.

  --host HOST        where to listen                             (default 127.0.0.1)
  --port PORT        0 takes any free port                       (default 0)
  --recordings DIR   folder of recorded traffic to replay from
  --pace MS          milliseconds between the events of a stream (default 30)
  --help             this text
`;

const { values } = parseArgs({
  options: {
    host: { type: 'string' },
    port: { type: 'string', default: '0' },
    recordings: { type: 'string' },
    pace: { type: 'string', default: '30' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
} else {
  const simulator = await startSimulator({
    ...(values.host !== undefined && { host: values.host }),
    ...(values.recordings !== undefined && { recordingsDir: values.recordings }),
    port: toWholeNumber('--port', values.port),
    paceMs: toWholeNumber('--pace', values.pace),
  });
  const stop = (): void => void simulator.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  process.stdout.write(`${simulator.url}\n`);
}

function toWholeNumber(name: string, value: string): number {
  if (!/^\d{1,5}$/.test(value)) {
    process.stderr.write(`${name} must be a whole number, not ${JSON.stringify(value)}\n`);
    process.exit(1);
  }
  return Number(value);
}
