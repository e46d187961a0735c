/** How likely a token was, and what else might have stood in its place. */
export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

export interface Logprob extends TokenLogprob {
  readonly top_logprobs: readonly TokenLogprob[];
}

/** Invented probabilities of the tokens, the same for the same token; the token itself is the first of its `top` alternatives. */
export function toLogprobs(tokens: readonly string[], top: number): Logprob[] {
  return tokens.map((token) => {
    const said = toTokenLogprob(token, -(token.length / 100));
    const others = Array.from({ length: Math.max(0, top - 1) }, (_, index) =>
      toTokenLogprob(` ${String.fromCodePoint(0x61 + index)}`, -5 - index),
    );
    return { ...said, top_logprobs: [said, ...others].slice(0, top) };
  });
}

function toTokenLogprob(token: string, logprob: number): TokenLogprob {
  return { token, logprob, bytes: [...Buffer.from(token)] };
}
