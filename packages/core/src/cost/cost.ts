/** What a request costs, in nano-USD. `total` is the exact sum rounded up once; `input` the input part rounded up; `output` the rest. */
export interface Cost {
  readonly total: bigint;
  readonly input: bigint;
  readonly output: bigint;
}
