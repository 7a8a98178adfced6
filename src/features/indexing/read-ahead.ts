/**
 * Maps inputs in order, with up to `ahead` calls under way before their turn. When the consumer stops or a call
 * rejects, the calls under way are left to end by themselves, without an unhandled rejection.
 */
export async function* readAhead<Input, Output>(
  inputs: Iterable<Input>,
  ahead: number,
  map: (input: Input) => Promise<Output>,
): AsyncGenerator<readonly [Input, Output]> {
  const waiting: { readonly input: Input; readonly output: Promise<Output> }[] = [];
  const start = (input: Input): void => {
    const output = map(input);
    output.catch(() => undefined);
    waiting.push({ input, output });
  };
  for (const input of inputs) {
    start(input);
    if (waiting.length <= ahead) continue;
    const next = waiting.shift();
    if (next !== undefined) yield [next.input, await next.output];
  }
  for (const { input, output } of waiting) yield [input, await output];
}
