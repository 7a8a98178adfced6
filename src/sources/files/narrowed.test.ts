import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFilesSource } from "./files-source.ts";
import { KeyScope } from "./paths.ts";

const numRuns = 20 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-narrowed-"));
});
afterEach(() => rm(base, { recursive: true, force: true }));

async function listed(roots: readonly string[], within?: readonly string[], onFolder?: (path: string) => void) {
  const source = createFilesSource({
    roots: roots.map((root) => join(base, root)),
    base,
    ...(within && { within }),
    ...(onFolder && { onFolder }),
  });
  const keys: string[] = [];
  for await (const entry of source.list(new AbortController().signal)) {
    keys.push("item" in entry ? entry.item.key : `-${entry.skipped.key}`);
  }
  return keys;
}

describe("a narrowed listing", () => {
  test("is the part of the whole listing that was asked for, with the rules that hold there", async () => {
    await mkdir(join(base, "a/b/c"), { recursive: true });
    await mkdir(join(base, "a/out"));
    for (const file of ["a/1.md", "a/b/2.md", "a/b/c/3.md", "a/b/no.md", "a/out/4.md"]) {
      await writeFile(join(base, file), "text\n");
    }
    await writeFile(join(base, "a/.winnowignore"), "no.md\nout/\n");
    const folders: string[] = [];
    expect(await listed(["a"], ["a/b/c/3.md"], (path) => folders.push(path))).toEqual(["a/b/c/3.md"]);
    expect(folders).toEqual(["a", "a/b", "a/b/c"].map((folder) => join(base, folder)));
    expect(await listed(["a"], ["a/b"])).toEqual(["a/b/2.md", "a/b/c/3.md", "-a/b/no.md"]);
    expect(await listed(["a"], ["a/out/4.md"])).toEqual(["-a/out/"]);
    expect(await listed(["a"], ["a/b/gone.md", "elsewhere"])).toEqual([]);
    expect(await listed(["a"], [])).toEqual([]);
    expect(await listed(["a/1.md", "a/b"], ["a/1.md"])).toEqual(["a/1.md"]);
    expect(await listed(["a"], [""])).toEqual(await listed(["a"]));
  });
});

test("a scope holds a key exactly where one of its keys is the key or a folder above it", () => {
  const part = fc.constantFrom("a", "b", "ab", "a.md");
  const key = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 5 }), key, (keys, asked) => {
      const scope = new KeyScope(keys);
      expect(scope.holds(asked)).toBe(keys.some((one) => one === asked || asked.startsWith(`${one}/`)));
      expect(scope.holds(`${asked}/`)).toBe(scope.holds(asked));
      expect(scope.leadsTo(`${asked}/`)).toBe(keys.some((one) => one.startsWith(`${asked}/`)));
    }),
    { numRuns },
  );
  expect(new KeyScope([""]).holds("/elsewhere/a.md")).toBe(false);
  expect(new KeyScope(["/elsewhere"]).holds("/elsewhere/a.md")).toBe(true);
});
