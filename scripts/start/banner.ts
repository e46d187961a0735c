export interface BannerFacts {
  readonly gatewayUrl: string;
  readonly accountingUrl: string;
  readonly redis: string;
  readonly config: string;
  /** The admin token when it was generated here; one that was given is not repeated. */
  readonly adminToken?: string | undefined;
  /** Absent with a configuration of one's own, whose keys are not ours to print. */
  readonly demoKey?: string | undefined;
  /** Whom the line to paste asks. Absent: whom the router chooses, which goes with every configuration. */
  readonly model?: string | undefined;
}

/** What a person reads who has just started TokenHub: where everything is, and two lines to paste. */
export function banner({ gatewayUrl, accountingUrl, redis, config, adminToken, demoKey, model }: BannerFacts): string {
  const messages = [{ role: 'user', content: 'Tell me a short story.' }];
  const body = JSON.stringify({ model, stream: true, messages });
  const facts = {
    Gateway: gatewayUrl,
    Operator: `${accountingUrl}/admin/v1`,
    Configuration: config,
    Redis: redis,
    'API key': demoKey,
    'Admin token': adminToken,
  };
  const lines = Object.entries(facts).flatMap(([name, fact]) =>
    fact === undefined ? [] : [`  ${name.padEnd(16)}${fact}`],
  );
  return `
TokenHub is running.

${lines.join('\n')}

A streamed answer, with its cost in the last line:

  curl -N ${gatewayUrl}/v1/chat/completions ${bearer(demoKey, 'TOKENHUB_API_KEY')} -H 'Content-Type: application/json' -d '${body}'

What the ledger says of it:

  curl -s '${accountingUrl}/admin/v1/ledger?limit=1' ${bearer(adminToken, 'TOKENHUB_ADMIN_TOKEN')}

Ctrl-C stops all of it.

`;
}

/** The header, with the variable of the shell where the secret is not ours to print. */
function bearer(secret: string | undefined, variable: string): string {
  return `-H "Authorization: Bearer ${secret ?? `$${variable}`}"`;
}
