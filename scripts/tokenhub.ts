import { text } from 'node:stream/consumers';
import { generateApiKey, hashApiKey, readConfig } from '@tokenhub/config';

const HELP = `pnpm tokenhub keys generate    prints a new API key and, with TOKENHUB_KEY_PEPPER set, its hash
pnpm tokenhub keys hash        prints the hash of the key on standard input, for key_hash of the configuration;
                               needs the gateways' TOKENHUB_KEY_PEPPER
pnpm tokenhub models PROVIDER  prints what a provider of ./tokenhub.yaml, or of what TOKENHUB_CONFIG names, lists: as models:
                               of the configuration, with the windows and prices that are known`;

const pepper = process.env['TOKENHUB_KEY_PEPPER'] ?? '';
const [topic, ...names] = process.argv.slice(2);
const command = topic === 'models' && names.length <= 1 ? 'models' : process.argv.slice(2).join(' ');

switch (command) {
  case 'keys generate': {
    const key = generateApiKey();
    print(pepper === '' ? key : `key:      ${key}\nkey_hash: ${hashApiKey(key, pepper)}`);
    break;
  }
  case 'keys hash': {
    // From standard input and not as an argument: arguments are visible to every user of the machine.
    const key = pepper === '' ? '' : (await text(process.stdin)).trim();
    if (pepper === '') fail('TOKENHUB_KEY_PEPPER is not set: give the value that the gateways have');
    else if (key === '') fail('give the key on standard input');
    else print(hashApiKey(key, pepper));
    break;
  }
  case 'models': {
    try {
      // Only here, since prices and providers take long to load.
      const { writeProviderModels } = await import('./provider-models.ts');
      const config = readConfig(process.env['TOKENHUB_CONFIG'] || './tokenhub.yaml', process.env);
      const [provider] = names;
      if (provider === undefined) fail(`name one of ${config.providers.map(({ id }) => id).join(', ')}`);
      else print(await writeProviderModels(config, provider));
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error));
    }
    break;
  }
  case '--help':
  case 'help':
    print(HELP);
    break;
  default:
    fail(HELP);
}

function print(output: string): void {
  process.stdout.write(`${output}\n`);
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
