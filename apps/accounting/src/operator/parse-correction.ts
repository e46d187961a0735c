import { GatewayError, parseUsd } from '@tokenhub/core';

const FORM = 'a decimal string in USD such as "-0.0012", negative to give money back, with at most 9 decimals';

/** The body of a correction: `{"delta_usd": "-0.0012"}`, in nano-USD. @throws GatewayError with the field that is wrong. */
export function parseCorrection(body: unknown): bigint {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new GatewayError('invalid_request', `The body must be a JSON object with delta_usd, ${FORM}.`);
  }
  const unknown = Object.keys(body).find((name) => name !== 'delta_usd');
  if (unknown !== undefined) {
    throw new GatewayError('unknown_parameter', `${unknown} is no field of a correction.`, { param: unknown });
  }
  const text: unknown = 'delta_usd' in body ? body.delta_usd : undefined;
  const [, sign = '', digits = ''] = typeof text === 'string' ? (/^(-?)(\d.*)$/.exec(text) ?? []) : [];
  const amount = toNano(digits);
  if (amount === undefined || amount === 0n) {
    throw new GatewayError('invalid_parameter', `delta_usd must be ${FORM}, and not zero.`, { param: 'delta_usd' });
  }
  return sign === '-' ? -amount : amount;
}

function toNano(digits: string): bigint | undefined {
  try {
    return parseUsd(digits);
  } catch {
    return undefined;
  }
}
