import type { ChatRequest, Loss } from '../chat/chat-request.ts';
import type { WrittenRequest } from '../dialects/dialect.ts';
import { Losses } from '../dialects/losses.ts';
import { GatewayError } from '../errors.ts';
import { endpointFor } from '../providers/provider.ts';
import type { Candidate } from '../router/candidate.ts';

/**
 * A request as this candidate gets it: the caller's own JSON where its provider speaks the caller's dialect, else written
 * anew. Beside it is what could not be carried over; of the caller's own JSON that is what the provider refuses, and reasoning
 * that it has not signed.
 * @throws GatewayError `invalid_parameter` for what the provider's dialect could not make sense of.
 */
export function writeFor({ provider, model, upstreamModel }: Candidate, request: ChatRequest): WrittenRequest {
  const { dialect } = endpointFor(provider, request.source.dialect);
  // Another dialect would find a chat in it.
  if (request.source.dialect === 'embeddings' && dialect.name !== 'embeddings') {
    throw new GatewayError('unsupported_parameter', `The provider ${provider.id} offers no embeddings.`);
  }
  const target = { model: upstreamModel, maxOutputTokens: model.maxOutputTokens, quirks: provider.quirks };
  if (dialect.name !== request.source.dialect) return dialect.writeRequest(request, target);
  const losses = new Losses({ ...request, losses: [] });
  if (dialect.takesReasoning !== undefined) losses.addReasoning(request, dialect.takesReasoning);
  const body = losses.takenOf(dialect.patchRequest(request, target), provider.quirks?.refused);
  return { body, losses: losses.list };
}

/** The error for a request that would lose something it asks for; `undefined` when it loses nothing, or hints only. */
export function whyLost(losses: readonly Loss[]): GatewayError | undefined {
  const lost = losses.find(({ isHint }) => isHint !== true);
  if (lost === undefined) return undefined;
  const { path, rule } = lost;
  const message =
    rule === undefined
      ? `${path} cannot be carried over to the provider of this model. Leave it out, or name another model.`
      : `${path} ${rule}.`;
  return new GatewayError('unsupported_parameter', message, { param: path });
}
