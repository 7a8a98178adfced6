/** Counts and encodes tokens. Injected, because loading a vocabulary costs more than most commands do. */
export interface TokenCounter {
  /** Stored with whatever was counted, e.g. `o200k`. Counts of different names are not comparable. */
  readonly name: string;
  /** Special-token text inside `text` counts as plain text. Never throws. */
  count(text: string): number;
  encode(text: string): readonly number[];
}
