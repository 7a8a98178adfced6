import { seededRandom } from "../../core/clock.ts";

const LARGE_SHARE = 0.03;
const SMALL_MAX = 64;

/** Choices by a seed: the same seed makes the same ones. */
export class Chance {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** A whole number from 0 to `end`, that not included; 0 where there is none. */
  below(end: number): number {
    return Math.floor(this.#random() * Math.max(1, end));
  }

  happens(share: number): boolean {
    return this.#random() < share;
  }

  of<Value>(values: readonly [Value, ...Value[]]): Value {
    return values[this.below(values.length)] ?? values[0];
  }

  /** From 1 to `max`; every order of magnitude is as likely as the next. */
  size(max: number): number {
    return Math.max(1, Math.floor(max ** this.#random()));
  }

  /** As `size`, but seldom more than a few dozen: what is large takes long, and most defects need nothing large. */
  bulk(max: number): number {
    return this.size(this.happens(LARGE_SHARE) ? max : Math.min(max, SMALL_MAX));
  }
}
