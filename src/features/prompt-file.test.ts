import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readPromptFile } from "./prompt-file.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "winnow-prompt-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, bytes: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

test("reads a template, without its byte order mark", async () => {
  const path = await file("own.txt", "\ufeffFind {query} – só isso");
  expect(await readPromptFile(path)).toEqual({ name: path, template: "Find {query} – só isso" });
});

test("says what is wrong with a file", async () => {
  const missing = join(folder, "missing.txt");
  await expect(readPromptFile(missing)).rejects.toMatchObject({
    code: "invalid_argument",
    message: `--prompt ${missing}: There is no such file.`,
  });
  await expect(readPromptFile(folder)).rejects.toMatchObject({ code: "invalid_argument" });
  const binary = await file("own.bin", Uint8Array.of(0x7b, 0xff, 0xfe, 0x80));
  await expect(readPromptFile(binary)).rejects.toMatchObject({
    code: "invalid_argument",
    message: expect.stringContaining("not UTF-8"),
  });
  const large = await file("large.txt", "{query}".repeat(50_000));
  await expect(readPromptFile(large)).rejects.toMatchObject({ code: "limit_exceeded" });
});
