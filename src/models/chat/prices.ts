/** US dollars per million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
  /** Prompt tokens read from the server's cache; default `input`. */
  readonly cachedInput?: number | undefined;
  /** Prompt tokens written to the server's cache; default `input`. */
  readonly cacheWrite?: number | undefined;
}

/** Tokens as the server reports them; absent where it does not. */
export interface ModelUsage {
  /** The whole prompt, cached parts included. */
  readonly promptTokens?: number;
  readonly completionTokens?: number;
  readonly cachedTokens?: number;
  readonly cacheWriteTokens?: number;
}

const PER_TOKENS = 1_000_000;

/** Cost of one answer in US dollars; undefined when the server did not report prompt and completion tokens. */
export function costOf(usage: ModelUsage, price: Price): number | undefined {
  const { promptTokens, completionTokens, cachedTokens = 0, cacheWriteTokens = 0 } = usage;
  if (promptTokens === undefined || completionTokens === undefined) return undefined;
  const plain = Math.max(0, promptTokens - cachedTokens - cacheWriteTokens);
  const dollars =
    plain * price.input +
    cachedTokens * (price.cachedInput ?? price.input) +
    cacheWriteTokens * (price.cacheWrite ?? price.input) +
    completionTokens * price.output;
  return dollars / PER_TOKENS;
}

/** The price of a model in a table keyed by `KIND:MODEL` or `MODEL`; the first wins. */
export function priceOf(
  prices: Readonly<Record<string, Price>>,
  names: { readonly name: string; readonly model: string },
): Price | undefined {
  for (const name of [names.name, names.model]) if (Object.hasOwn(prices, name)) return prices[name];
  return undefined;
}
