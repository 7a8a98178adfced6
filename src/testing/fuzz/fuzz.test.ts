import { describe, expect, test } from "vitest";
import { WinnowError } from "../../core/errors.ts";
import { INPUT_BYTES_MAX } from "./blind.ts";
import { Chance } from "./chance.ts";
import { type FuzzTarget, fuzz } from "./fuzz.ts";
import { mutateJson } from "./json-tree.ts";
import { mutate, type Structure } from "./mutate.ts";

const FIXTURES = ['{"a":[1,"b",{"c":null}],"d":"e"}', "# Title\n\n<p>Text, of; cells</p>\n"].map((text) =>
  Buffer.from(text),
);
const STRUCTURES: readonly Structure[] = ["json", "json-lines", "markdown", "yaml", "table", "html", "text"];
const target = (run: FuzzTarget["run"]): FuzzTarget => ({
  name: "a test",
  fixtures: FIXTURES,
  structures: STRUCTURES,
  run,
});

describe("mutations", () => {
  test("are the same for the same seed, differ between seeds, and stay within their size", () => {
    const made = new Set<string>();
    for (let seed = 0; seed < 500; seed++) {
      const [one, two] = [
        mutate(FIXTURES, STRUCTURES, new Chance(seed)),
        mutate(FIXTURES, STRUCTURES, new Chance(seed)),
      ];
      expect(one.equals(two)).toBe(true);
      expect(one.length).toBeLessThanOrEqual(INPUT_BYTES_MAX);
      made.add(one.toString("base64"));
    }
    expect(made.size).toBeGreaterThan(400);
  });

  test("of JSON are mostly JSON, and reach every place of it", () => {
    const made = Array.from(
      { length: 1_000 },
      (_, seed) => mutateJson(FIXTURES[0]?.toString() ?? "", new Chance(seed)) ?? "",
    );
    const parsed = made.filter((text) => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    });
    expect(parsed.length).toBeGreaterThan(700);
    for (const part of ['"__proto__"', '"d":null', "[[[[[[", "1e999"])
      expect(
        made.some((text) => text.includes(part)),
        part,
      ).toBe(true);
  });
});

describe("a target", () => {
  test("is told of its first failing input by a seed that makes the same input again", async () => {
    const failing = target((input) => {
      if (input.length > 60) throw new TypeError("too long for me");
    });
    const error = await fuzz(failing, {}).catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(/a test, seed \d+: TypeError: too long for me/);
    const [, seed = ""] = /WINNOW_FUZZ_SEED=(\d+) npx vitest run .* -t "a test"/.exec(String(error)) ?? [];
    await expect(fuzz(failing, { WINNOW_FUZZ_SEED: seed })).rejects.toThrow(`seed ${seed}`);
  });

  test("may throw our errors, which are counted, but none that says that the defect is ours", async () => {
    const refusing = target(() => {
      throw new WinnowError("invalid_argument", "No.");
    });
    expect(await fuzz({ ...refusing, share: 0.02 }, {})).toMatchObject({
      inputs: 10,
      refused: { invalid_argument: 10 },
    });
    const defect = target(() => {
      throw new WinnowError("internal", "Oh.");
    });
    await expect(fuzz(defect, {})).rejects.toThrow("Oh.");
  });
});
