import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { newToken, openTokenBook } from "./access-tokens.ts";

let folder: string;
let file: string;
const onError = vi.fn();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "winnow-tokens-"));
  file = join(folder, "tokens.json");
  onError.mockClear();
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

describe("newToken", () => {
  test("keeps a hash, never the token, in a file for its owner alone", async () => {
    const token = await newToken(file, "laptop", ["docs"]);
    expect(token).toMatch(/^winnow_[\w-]{43}$/);
    const text = readFileSync(file, "utf8");
    expect(text).not.toContain(token.slice("winnow_".length));
    expect(JSON.parse(text).tokens).toMatchObject([{ name: "laptop", corpora: ["docs"] }]);
    if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("appends, and takes no name twice", async () => {
    const first = await newToken(file, "a", ["docs"]);
    const second = await newToken(file, "b", null);
    const book = await openTokenBook({ file, onError });
    expect(await book.callerOf(first)).toEqual({ name: "a", corpora: ["docs"] });
    expect(await book.callerOf(second)).toEqual({ name: "b", corpora: null });
    await expect(newToken(file, "a", null)).rejects.toMatchObject({ code: "invalid_argument" });
    await expect(newToken(file, "../c", null)).rejects.toMatchObject({ code: "invalid_argument" });
  });

  test("leaves a file of something else alone", async () => {
    writeFileSync(file, '{"mcpServers":{}}', { mode: 0o600 });
    await expect(newToken(file, "a", null)).rejects.toMatchObject({ code: "invalid_config" });
    expect(readFileSync(file, "utf8")).toBe('{"mcpServers":{}}');
  });
});

describe("openTokenBook", () => {
  test("knows the token of the environment and those of the file, and no others", async () => {
    const token = await newToken(file, "a", ["docs"]);
    const book = await openTokenBook({ token: "secret", file, onError });
    expect(await book.callerOf("secret")).toEqual({ name: "environment", corpora: null });
    expect(await book.callerOf(token)).toMatchObject({ name: "a" });
    for (const wrong of ["", "Secret", `${token}x`, token.slice(0, -1)])
      expect(await book.callerOf(wrong)).toBeUndefined();
  });

  test.skipIf(process.platform === "win32")("refuses a file that others may open", async () => {
    await newToken(file, "a", null);
    chmodSync(file, 0o644);
    await expect(openTokenBook({ file, onError })).rejects.toMatchObject({
      code: "invalid_config",
      hint: expect.stringContaining("chmod 600"),
    });
    await expect(newToken(file, "b", null)).rejects.toMatchObject({ code: "invalid_config" });
  });

  test.each([["not JSON"], ["{}"], ['{"schema":"tokens/1","tokens":[{"name":"a","sha256":"x","corpora":null}]}']])(
    "refuses %s",
    async (text) => {
      writeFileSync(file, text, { mode: 0o600 });
      await expect(openTokenBook({ file, onError })).rejects.toMatchObject({ code: "invalid_config" });
    },
  );

  test("a token that is taken back is refused without a new start; a file that breaks changes nothing", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const token = await newToken(file, "a", null);
    const book = await openTokenBook({ file, onError });
    const change = (text: string): void => {
      writeFileSync(file, text);
      utimesSync(file, new Date(), new Date());
      vi.advanceTimersByTime(5_000);
    };
    change("broken");
    expect(await book.callerOf(token)).toMatchObject({ name: "a" });
    expect(onError).toHaveBeenCalledOnce();
    change('{"schema":"tokens/1","tokens":[]}');
    expect(await book.callerOf(token)).toBeUndefined();
  });
});
