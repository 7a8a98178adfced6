import { expect, test } from "vitest";
import { type FuzzTarget, fuzz } from "../../src/testing/fuzz/fuzz.ts";

/** A test for every target, which prints how many inputs it took and how long the slowest was. */
export function fuzzTests(targets: readonly FuzzTarget[]): void {
  test.each(targets.map((target) => [target.name, target] as const))("%s", async (name, target) => {
    const started = performance.now();
    const { inputs, refused, slowestMs } = await fuzz(target);
    expect(inputs).toBeGreaterThan(0);
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    console.info(
      `fuzz: ${name}: ${inputs} inputs in ${seconds} s, slowest ${slowestMs.toFixed(0)} ms, refused ${JSON.stringify(refused)}`,
    );
  });
}
