import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { type CommandResult, runCommand } from "../support/command.ts";

const packed = inject("packed");
const folder = join(packed.folder, "viewer");
const HOSTILE = "</script><script>window.harmed=1</script> <!-- \u2028 end";
const onLinux = process.platform === "linux";

const winnow = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CommandResult> =>
  runCommand(packed.cli, args, { cwd: folder, home: packed.home, env });

/** What stands between the tags of the page's elements of one kind, with their attributes. */
function elements(page: string, name: "script" | "style"): { attributes: string; text: string }[] {
  return [...page.matchAll(new RegExp(`<${name}([^>]*)>([\\s\\S]*?)</${name}>`, "g"))].map(
    ([, attributes = "", text = ""]) => ({ attributes, text }),
  );
}

const embedded = (page: string) => JSON.parse(elements(page, "script")[0]?.text ?? "");
const lines = (path: string): unknown[] =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("winnow show --html", () => {
  let records: string[] = [];
  beforeAll(async () => {
    mkdirSync(join(folder, "docs"), { recursive: true });
    writeFileSync(join(folder, "docs", "a.md"), `# Retries ${HOSTILE}\n\nFive attempts. ${HOSTILE}\n`);
    writeFileSync(join(folder, "docs", "b.md"), "# Harbour team\n\nLed by Ines Abara.\n");
    expect((await winnow(["index", "docs"])).code).toBe(0);
    for (const question of [`How many attempts? ${HOSTILE}`, "Who leads the Harbour team?"]) {
      records.push(JSON.parse((await winnow(["search", question, "--json"])).stdout).recordPath);
    }
    records = records.map((path) => join(folder, path.slice(path.indexOf(".winnow"))));
  });

  test("writes one page that loads nothing and holds the record as inert data", async () => {
    const { code, stdout } = await winnow(["show", records[0] ?? "", "--html", "run.html"]);
    expect([code, stdout.trim()]).toEqual([0, join(folder, "run.html")]);
    const page = readFileSync(join(folder, "run.html"), "utf8");
    const [data, script, ...others] = elements(page, "script");
    expect(data?.attributes).toBe(' type="application/json" id="records"');
    expect(others).toEqual([]);
    expect(data?.text).not.toMatch(/[<>&\u2028\u2029]/);
    const [{ header, events, name, torn }] = embedded(page);
    expect([header, ...events]).toEqual(lines(records[0] ?? ""));
    expect([name, torn]).toEqual([records[0]?.split(/[/\\]/).at(-1), false]);
    expect(JSON.stringify(events)).toContain("window.harmed");
    const [style] = elements(page, "style");
    const hash = (text = "") => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
    const [, policy = ""] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    expect(policy.split("; ")).toEqual([
      "default-src 'none'",
      `script-src ${hash(script?.text)}`,
      `style-src ${hash(style?.text)}`,
      "img-src data:",
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    const frame = page.replaceAll(/<(script|style)[\s\S]*?<\/\1>/g, "");
    expect(frame.match(/(?:src|href)=("[^"]*)/g)?.filter((one) => !one.startsWith('href="data:'))).toEqual([]);
    if (process.platform !== "win32") expect(statSync(join(folder, "run.html")).mode & 0o077).toBe(0);
  });

  test("puts two runs into one page, and refuses three", async () => {
    const { code, stdout } = await winnow(["show", ...records, "--html", "two.html", "--json"]);
    const answer = JSON.parse(stdout);
    expect([code, answer.schema, answer.runs.length, answer.opened]).toEqual([0, "viewer/1", 2, false]);
    const runs = embedded(readFileSync(answer.path, "utf8")).map(
      (one: { header: { runId: string } }) => one.header.runId,
    );
    expect(runs).toEqual(answer.runs);
    expect((await winnow(["show", ...records, ...records, "--html", "four.html"])).code).toBe(2);
    expect(existsSync(join(folder, "four.html"))).toBe(false);
    expect((await winnow(["show", ...records])).stderr).toContain("--open");
    const nowhere = await winnow(["show", "--html", join("no", "such", "folder", "run.html")]);
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining("cannot be written")]);
  });

  test.runIf(onLinux)("--open gives the page to the system's opener, and says so where there is none", async () => {
    const opener = join(folder, "bin", "xdg-open");
    mkdirSync(dirname(opener), { recursive: true });
    writeFileSync(opener, '#!/bin/sh\nprintf %s "$1" > "$OPENED"\n');
    chmodSync(opener, 0o755);
    const OPENED = join(folder, "opened.txt");
    const PATH = `${dirname(opener)}:${process.env["PATH"] ?? ""}`;
    const { code, stdout } = await winnow(["show", "--open"], { PATH, OPENED, TMPDIR: packed.home });
    const path = stdout.trim();
    expect([code, path.startsWith(packed.home), path.endsWith(".html")]).toEqual([0, true, true]);
    expect(readFileSync(OPENED, "utf8")).toBe(path);
    expect(embedded(readFileSync(path, "utf8"))).toHaveLength(1);
    const without = await winnow(["show", "--open"], { PATH: "/nowhere", TMPDIR: packed.home });
    expect([without.code, without.stderr]).toEqual([0, expect.stringContaining("No browser could be opened")]);
  });
});
