import { describe, expect, test } from "vitest";
import { scorePassages } from "../static-embedder.ts";

const filler = "The weather report of the region mentions clouds, wind and some rain in the afternoon. ".repeat(40);

describe("late interaction over token vectors", () => {
  test("what says it in other words comes before what shares nothing", async () => {
    const [car = 0, cake = 0] = await scorePassages("automobile engine repair", [
      "Fix the motor of a car.",
      "Bake the cake for an hour.",
    ]);
    expect(car).toBeGreaterThan(cake);
  });

  test("one paragraph that holds the question beats a long text that holds its words far apart", async () => {
    const together = `${filler}The violin maker of Cremona died in 1737.${filler}`;
    const apart = `violin ${filler} maker ${filler} Cremona ${filler} died`;
    const [near = 0, far = 0] = await scorePassages("When did the violin maker of Cremona die?", [together, apart]);
    expect(near).toBeGreaterThan(far);
  });

  test("gives a number for each passage, also for empty and unknown ones, and stays within its bounds", async () => {
    const scores = await scorePassages("river bank", ["", "\u{10FFFF}", "the bank of the river", "x".repeat(100_000)]);
    expect(scores).toHaveLength(4);
    for (const score of scores) {
      expect(score).toBeGreaterThanOrEqual(-1 - 1e-6);
      expect(score).toBeLessThanOrEqual(1 + 1e-6);
    }
    expect(Math.max(...scores)).toBe(scores[2]);
    expect(await scorePassages("\u{10FFFF}", ["a", "b"])).toEqual([0, 0]);
    expect(await scorePassages("river", [])).toEqual([]);
  });

  test("does not begin for whom has given up", async () => {
    await expect(scorePassages("river", ["a"], AbortSignal.abort())).rejects.toMatchObject({ code: "cancelled" });
  });
});
