/** An exact fraction of at least 0. */
export class Fraction {
  readonly #numerator: bigint;
  readonly #denominator: bigint;

  constructor(numerator: bigint, denominator: bigint) {
    this.#numerator = numerator;
    this.#denominator = denominator;
  }

  /** Of a decimal such as `0.075`. */
  static parse(decimal: string): Fraction {
    const [whole = '', digits = ''] = decimal.split('.');
    return new Fraction(BigInt(whole + digits), 10n ** BigInt(digits.length));
  }

  plus(other: Fraction): Fraction {
    const numerator = this.#numerator * other.#denominator + other.#numerator * this.#denominator;
    return new Fraction(numerator, this.#denominator * other.#denominator);
  }

  times(factor: number): Fraction {
    return new Fraction(this.#numerator * BigInt(factor), this.#denominator);
  }

  larger(other: Fraction): Fraction {
    return this.#numerator * other.#denominator > other.#numerator * this.#denominator ? this : other;
  }

  /** The smallest whole number that is not less. */
  ceiling(): bigint {
    const whole = this.#numerator / this.#denominator;
    return whole * this.#denominator === this.#numerator ? whole : whole + 1n;
  }
}
