import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { openGrep } from "./open-grep.ts";
import { ripgrepError } from "./ripgrep-driver.ts";
import { RipgrepOutputReader } from "./ripgrep-output.ts";
import { writeGrepSegment } from "./segment.ts";

const scale = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "winnow-rg-"));
  await writeGrepSegment(join(root, "s"), [{ id: "a", text: "alpha\nbeta" }]);
});
afterAll(() => rm(root, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

const grepWith = (ripgrepPath?: string) =>
  openGrep({
    segments: [{ folder: join(root, "s") }],
    isLive: () => true,
    ...(ripgrepPath === undefined ? {} : { ripgrepPath }),
  });

async function script(name: string, body: string): Promise<string> {
  const path = join(root, name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

describe("ripgrep driver", () => {
  test("ignores the user's configuration of ripgrep", async () => {
    const config = join(root, "config");
    await writeFile(config, "--invert-match\n--max-count=0\n");
    vi.stubEnv("RIPGREP_CONFIG_PATH", config);
    expect((await grepWith().grep({ pattern: "beta" })).matchesTotal).toBe(1);
  });

  test.runIf(process.platform !== "win32")("falls back with a notice when the binary cannot be started", async () => {
    const notExecutable = join(root, "plain");
    await writeFile(notExecutable, "");
    for (const path of [join(root, "missing"), notExecutable]) {
      const result = await grepWith(path).grep({ pattern: "^beta" });
      expect(result).toMatchObject({ matchesTotal: 1, notices: [{ code: "grep_fallback" }] });
    }
  });

  test.runIf(process.platform !== "win32")("strange output and strange failures are errors, not results", async () => {
    const chatty = await script("chatty", "echo hello");
    await expect(grepWith(chatty).grep({ pattern: "a" })).rejects.toMatchObject({ code: "store_failed" });
    const failing = await script("failing", "echo 'rg: docs.bin: Input/output error' >&2; exit 2");
    await expect(grepWith(failing).grep({ pattern: "a" })).rejects.toMatchObject({ code: "corpus_corrupt" });
    const dying = await script("dying", "kill -9 $$");
    await expect(grepWith(dying).grep({ pattern: "a" })).rejects.toMatchObject({ code: "store_failed" });
  });

  test("both engines agree on random patterns and texts", async () => {
    const piece = fc.constantFrom(
      ..."ab \n",
      ...["^", "$", ".", "\\s", "\\w", "\\S", "\\n", "é", "😀", "[^a]", "[ab\\s]", "(?:a|b)", "(?:\\n|^)", "(?i:A)"],
    );
    const quantified = fc
      .tuple(piece, fc.constantFrom("", "", "", "*", "+", "?", "+?", "{2}"))
      .map((parts) => parts.join(""));
    const pattern = fc.array(quantified, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(""));
    const text = fc.string({ maxLength: 12, unit: fc.constantFrom("a", "b", "A", " ", "\n", "é", "😀") });
    await fc.assert(
      fc.asyncProperty(pattern, fc.array(text, { minLength: 1, maxLength: 4 }), async (wanted, texts) => {
        const folder = join(root, "random");
        await writeGrepSegment(
          folder,
          texts.map((each, i) => ({ id: `${i}`, text: each })),
        );
        const [ripgrep, re2] = await Promise.all(
          (["ripgrep", "re2"] as const).map((engine) =>
            openGrep({ segments: [{ folder }], isLive: () => true, engine }).grep({ pattern: wanted }),
          ),
        );
        expect(ripgrep).toEqual(re2);
      }),
      { numRuns: 150 * scale, seed: 42 },
    );
  });
});

describe("RipgrepOutputReader", () => {
  test("gives the same matches however the bytes are cut", () => {
    const match = fc.record({
      start: fc.nat(100_000),
      text: fc.string({ maxLength: 6, unit: fc.constantFrom("a", ":", "1", "\n", "é") }),
    });
    fc.assert(
      fc.property(fc.array(match, { maxLength: 5 }), fc.array(fc.nat(60), { maxLength: 6 }), (matches, cuts) => {
        const bytes = Buffer.from(matches.map(({ start, text }) => `${start}:${text}\0`).join(""));
        const seen: [number, number][] = [];
        const reader = new RipgrepOutputReader((start, end) => seen.push([start, end]) > 0);
        const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        for (let i = 1; i < places.length; i++) reader.push(bytes.subarray(places[i - 1], places[i]));
        const expected = matches
          .filter(({ text }) => text !== "")
          .map(({ start, text }) => [start, start + Buffer.byteLength(text)]);
        expect(seen).toEqual(expected);
      }),
      { numRuns: 200 * scale, seed: 43 },
    );
  });

  test("stops when told to, and refuses other output", () => {
    const seen: number[] = [];
    const reader = new RipgrepOutputReader((start) => seen.push(start) < 2);
    expect(reader.push(Buffer.from("1:a\x002:b\x003:c\0"))).toBe(false);
    expect(seen).toEqual([1, 2]);
    expect(() => new RipgrepOutputReader(() => true).push(Buffer.from("rg: oops"))).toThrow(/not a match/);
  });
});

describe("ripgrepError", () => {
  test.each([
    [
      "rg: regex parse error:\n    (?:x)\n    ^\nerror: Unicode property not found\n",
      "invalid_pattern",
      "Unicode property not found.",
    ],
    [
      "rg: compiled regex exceeds size limit of 10\n",
      "invalid_pattern",
      "The pattern is too large once its repetitions are written out.",
    ],
    ["rg: /x/docs.bin: No such file or directory (os error 2)\n", "corpus_corrupt", undefined],
  ])("%j", (stderr, code, message) => {
    expect(ripgrepError(stderr)).toMatchObject(message === undefined ? { code } : { code, message });
  });
});
