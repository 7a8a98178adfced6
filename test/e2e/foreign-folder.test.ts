import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { runCommand } from "../support/command.ts";

/** A folder that somebody else made, whose file asks to read what lies outside of it. */
const packed = inject("packed");
let work = "";
let folder = "";
const winnow = (...args: string[]) =>
  runCommand(packed.cli, args, { cwd: folder, home: work, env: { WINNOW_CHROMA: "/nonexistent" } });
const attached = { collection: "docs", role: "documents", documentKey: "path", embedder: "minilm" };
const name = (corpora: object): void => writeFileSync(join(folder, "winnow.json"), JSON.stringify({ corpora }));

beforeAll(() => {
  work = realpathSync(mkdtempSync(join(tmpdir(), "winnow-foreign-")));
  folder = join(work, "cloned");
  mkdirSync(join(work, ".memory", "chroma"), { recursive: true });
  writeFileSync(join(work, ".memory", "chroma", "chroma.sqlite3"), "x");
  mkdirSync(join(work, ".ssh"));
  writeFileSync(join(work, ".ssh", "notes.md"), "# Keys\n\nThe passphrase is on the back of the door.\n");
  mkdirSync(folder);
  writeFileSync(join(folder, "readme.md"), "# Read me\n\nNothing here.\n");
  symlinkSync(join(work, ".memory", "chroma"), join(folder, "lnk"));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

test.each([
  ["a directory", { notes: { ...attached, chroma: "../.memory/chroma" } }, ".memory/chroma"],
  ["a directory behind a link", { notes: { ...attached, chroma: "lnk" } }, ".memory/chroma"],
  ["a server", { notes: { ...attached, chroma: "http://127.0.0.1:9" } }, "http://127.0.0.1:9"],
  ["files", { notes: { source: "files", paths: ["../.ssh"] } }, ".ssh"],
])("%s is left out, with a warning before how to agree; the rest is built", async (_what, asked, place) => {
  name({ ...asked, own: { source: "files", paths: ["readme.md"] } });
  const { code, stdout, stderr } = await winnow("index");
  expect([code, stderr]).toEqual([3, expect.stringContaining("nobody has agreed to that here, so notes is left out")]);
  expect(stderr).toMatch(
    /asks to read \S+( \(a link to \S+\))?, which is outside of it, .*Agree only if you know why it asks.*: winnow /,
  );
  expect(stderr).toContain(place);
  expect(stdout).toContain("1 document in 1 chunk");
  name(asked);
  const alone = await winnow("index", "--json");
  expect(alone.code).toBe(3);
  expect(JSON.parse(alone.stdout)).toMatchObject({ corpora: [{ name: "notes", error: { code: "invalid_config" } }] });
});

test("a directory behind a link is not opened in place either", async () => {
  name({ notes: { ...attached, chroma: "lnk", inPlace: true } });
  const { code, stderr } = await winnow("index");
  expect(code).toBe(2);
  expect(stderr).toContain("may not open a directory outside its folder in place");
});

test("doctor tells what attached collections lack", async () => {
  mkdirSync(join(folder, "data"), { recursive: true });
  writeFileSync(join(folder, "data", "chroma.sqlite3"), "x");
  name({ notes: { ...attached, chroma: "data" }, other: { ...attached, chroma: "lnk" } });
  const report = JSON.parse((await winnow("doctor", "--json")).stdout);
  const checks: readonly { name: string; state: string; hint?: string }[] = report.checks;
  expect(checks.find((check) => check.name === "chroma")).toMatchObject({
    state: "warn",
    hint: expect.stringContaining("pip install chromadb"),
  });
  expect(checks.find((check) => check.name === "attached other")).toMatchObject({
    state: "warn",
    hint: expect.stringContaining("only if you know why"),
  });
});
