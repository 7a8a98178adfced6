import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readSealed, writeSealed } from "./sealed-file.ts";

const numRuns = 60 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const FORMAT = { name: "manifest", version: 1 };
const BODY = { generation: 7, text: "naïve \u{1f600} \u2028", list: [1, null, { a: true }] };

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "winnow-sealed-"));
  path = join(folder, "manifest.json");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("sealed files", () => {
  test("come back as they were written, are JSON, and leave no temporary file", async () => {
    await writeSealed(path, FORMAT, BODY);
    await writeSealed(path, FORMAT, { ...BODY, generation: 8 });
    expect((await readSealed(path, FORMAT))?.body).toEqual({ ...BODY, generation: 8 });
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ format: "manifest/1", body: { generation: 8 } });
    expect(await readdir(folder)).toEqual(["manifest.json"]);
  });

  test("a missing file is undefined, a folder in its place is damage", async () => {
    expect(await readSealed(path, FORMAT)).toBeUndefined();
    await mkdir(path);
    await expect(readSealed(path, FORMAT)).rejects.toMatchObject({ code: "corpus_corrupt" });
  });

  test.each([
    [2, "Use the newer Winnow"],
    [0, "--rebuild"],
  ])("version %i is another format, with a hint", async (version, hint) => {
    await writeSealed(path, { ...FORMAT, version }, BODY);
    await expect(readSealed(path, FORMAT)).rejects.toMatchObject({
      code: "corpus_format",
      hint: expect.stringContaining(hint),
    });
  });

  test("another kind of file is damage", async () => {
    await writeSealed(path, { name: "items", version: 1 }, BODY);
    await expect(readSealed(path, FORMAT)).rejects.toMatchObject({ code: "corpus_corrupt" });
  });

  test("every truncation and every changed byte is noticed, and the file is named", async () => {
    await writeSealed(path, FORMAT, BODY);
    const whole = await readFile(path);
    const noticed = async (bytes: Uint8Array): Promise<void> => {
      await writeFile(path, bytes);
      const failure = await readSealed(path, FORMAT).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).toMatchObject({ code: expect.stringMatching(/^corpus_(corrupt|format)$/) });
      expect(String(failure)).toContain("manifest.json");
    };
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), async (length) => noticed(whole.subarray(0, length))),
      { numRuns, seed: 1 },
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const bytes = Uint8Array.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ change;
        await noticed(bytes);
      }),
      { numRuns, seed: 2 },
    );
  });

  test("a write that fails leaves the old content", async () => {
    await writeSealed(path, FORMAT, BODY);
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = cyclic;
    await expect(writeSealed(path, FORMAT, cyclic)).rejects.toThrow();
    await expect(writeSealed(join(folder, "no", "such"), FORMAT, BODY)).rejects.toMatchObject({ code: "store_failed" });
    expect((await readSealed(path, FORMAT))?.body).toEqual(BODY);
  });
});
