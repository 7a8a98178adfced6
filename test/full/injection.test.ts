import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostileDocuments, PAGE_HARM, TERMINAL_CONTROLS } from "../../src/testing/hostile-texts.ts";
import { launchChromium, realChromium } from "../support/chromium.ts";
import { type CommandResult, runCommand } from "../support/command.ts";
import { type Packed, packAndUnpack } from "../support/packed.ts";
import { call, eventsOf, type Served, startServe } from "../support/serve.ts";
import { skipUnless } from "../support/skip-unless.ts";

const PTY = "/usr/bin/script";
const pseudoTerminal = skipUnless(
  process.platform === "linux" && readdirSync("/usr/bin").includes("script"),
  "a pseudo-terminal is made by script(1) of util-linux",
);
/** Codes of the colours that a command prints: on, and off again. */
const OWN_COLOURS = new Set([1, 2, 9, 22, 29, 31, 32, 33, 36, 39]);
/** What redraws the line of progress, where there is a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: what redraws begins with one
const REDRAW = /\r\u001b\[2K/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
const HOSTILE_NAME = "no \u001b]0;title\u0007\u009b31m\nerror: such file.md";

let packed: Packed & { remove(): void };
let folder: string;
let runId: string;

beforeAll(async () => {
  packed = packAndUnpack();
  folder = mkdtempSync(join(tmpdir(), "winnow-injection-"));
  mkdirSync(join(folder, "docs"));
  for (const [name, text] of Object.entries(hostileDocuments())) {
    // A path has no slash in its names; the closing tag loses nothing by it.
    writeFileSync(join(folder, "docs", name.replaceAll("/", "")), text);
  }
  writeFileSync(join(folder, "docs", "broken\u001b[31m\n.md"), Buffer.from([0, 1, 2, 3]));
  const indexed = await winnow("index", "docs");
  expect(indexed.code, indexed.stderr).toBe(0);
  expect((await winnow("search", `What does the walrus say? ${TERMINAL_CONTROLS}`)).code).toBe(0);
  const { runs } = JSON.parse((await winnow("runs", "--json")).stdout);
  runId = runs[0].runId;
  writeFileSync(join(folder, ".winnow", "runs", `20200101T000000000-\u001b[31mbad\nx.jsonl`), "no record\n");
});
afterAll(() => {
  packed?.remove();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

const winnow = (...args: readonly string[]): Promise<CommandResult> =>
  runCommand(packed.cli, args, { cwd: folder, home: packed.home });
const coloured = (...args: readonly string[]): Promise<CommandResult> =>
  runCommand(packed.cli, args, { cwd: folder, home: packed.home, env: { FORCE_COLOR: "1" } });

/** Everything that a command writes to a terminal of its own. */
function inTerminal(args: readonly string[]): Promise<string> {
  const command = [process.execPath, packed.cli, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env["PATH"] ?? "", HOME: packed.home, TERM: "xterm-256color" };
    const child = spawn(PTY, ["-qec", command, "/dev/null"], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
    }
    child.on("error", reject);
    child.on("close", () => resolve(text));
  });
}

/** Text without the colours that are ours; what is left may hold no control but line ends and tabs. */
function withoutColours(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a colour begins with one
  return text.replace(/\u001b\[(\d{1,2})m/g, (whole, code) => (OWN_COLOURS.has(Number(code)) ? "" : whole));
}

/** Every colour that is begun in a line is ended in it, so that none of a document's can have got between. */
function expectBalanced(text: string): void {
  for (const line of text.split("\n")) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a colour begins with one
    const codes = [...line.matchAll(/\u001b\[(\d{1,2})m/g)].map(([, code]) => Number(code));
    const ends = codes.filter((code) => code === 22 || code === 29 || code === 39);
    expect(ends.length * 2, JSON.stringify(line)).toBe(codes.length);
  }
}

const COMMANDS: readonly (readonly string[])[] = [
  ["find", "walrus", "-k", "30", "--explain"],
  ["find", "walrus|Token", "--mode", "grep", "-k", "30"],
  ["search", "What does the walrus say?"],
  ["search", "What does the walrus say?", "--rollouts", "2"],
  ["read", "docs/terminal.md"],
  ["read", "docs/page.md", "1-3"],
  ["show"],
  ["show", "--turn", "1"],
  ["brief", "Move the walrus"],
  ["recent", "--since", "2020"],
  ["runs"],
  ["status", "--skipped"],
  ["doctor"],
  ["index", "docs"],
  ["replay"],
  ["render"],
  // Errors name what they are about.
  ["read", HOSTILE_NAME],
  ["index", HOSTILE_NAME],
  ["forget", HOSTILE_NAME, "--verbose"],
  ["show", HOSTILE_NAME],
  ["show", `${HOSTILE_NAME}.jsonl`, "--verbose"],
  ["find", "x", "--corpus", HOSTILE_NAME],
  ["find", "x", "--where", `${HOSTILE_NAME}=1`],
  ["find", `(${HOSTILE_NAME}`, "--mode", "grep"],
  ["search", "x", "--policy", HOSTILE_NAME],
  ["recent", "--since", HOSTILE_NAME],
  [HOSTILE_NAME],
  ["find", "x", `--${HOSTILE_NAME}`],
  ["find", "x", "-k", HOSTILE_NAME],
];

describe("a terminal", () => {
  test.each(COMMANDS.map((args) => [args] as const))("gets no control of a document from %j", async (args) => {
    const shown = await coloured(...args);
    const text = shown.stdout + shown.stderr;
    expect(text.length).toBeGreaterThan(0);
    expect(withoutColours(text)).not.toMatch(CONTROLS);
    if (args[0] !== "render") expectBalanced(text);
    // A name can begin no line of its own, in which it could say what it likes.
    expect(text).not.toMatch(/^error: such file|^error: walrus|^\[Token usage: 1\/2\]\n/m);
  });

  test("gets no colour where none is wanted", async () => {
    for (const args of [
      ["find", "walrus"],
      ["read", "docs/terminal.md"],
      ["show", "--turn", "1"],
      ["index", HOSTILE_NAME],
    ]) {
      const { stdout, stderr } = await winnow(...args);
      expect(stdout + stderr).not.toMatch(CONTROLS);
    }
  });

  test("gets JSON in which every control is an escape, and which is what was asked for to the character", async () => {
    const all = [...COMMANDS.slice(0, 4), ...COMMANDS.slice(6, 14), ...COMMANDS.slice(16)];
    for (const args of all) {
      const { stdout } = await coloured(...args, "--json");
      expect(stdout.trim(), JSON.stringify(args)).not.toMatch(CONTROLS);
      expect(stdout.trimEnd().includes("\n"), JSON.stringify(args)).toBe(false);
      expect(Object.keys(JSON.parse(stdout)).some((key) => key === "schema" || key === "error")).toBe(true);
    }
    const { text } = JSON.parse((await winnow("read", "docs/page.md", "--json")).stdout);
    expect(text).toContain(PAGE_HARM);
  });

  pseudoTerminal.test("gets nothing else where it is one", async () => {
    for (const args of [
      COMMANDS[0],
      COMMANDS[2],
      COMMANDS[6],
      COMMANDS[11],
      COMMANDS[13],
      COMMANDS[17],
      COMMANDS[26],
    ]) {
      const text = (await inTerminal(args ?? [])).replaceAll("\r\n", "\n").replace(REDRAW, "\n");
      expect(text.length).toBeGreaterThan(0);
      expect(withoutColours(text), JSON.stringify(args)).not.toMatch(CONTROLS);
    }
  });
});

describe("answers of the servers", () => {
  let served: Served;
  beforeAll(async () => {
    served = await startServe(packed, folder, []);
  });
  afterAll(async () => {
    await served?.stop();
  });

  test("are JSON whatever documents say, and no name gets into a header or a line of the log", async () => {
    const found = await call(served, "POST", "/v1/find", { query: "walrus", k: 30 });
    expect(found.status).toBe(200);
    const ids = (found.body as { documents: { id: string }[] }).documents.map(({ id }) => id);
    expect(ids.some((id) => id.includes("\n"))).toBe(true);
    for (const id of ids) {
      const read = await call(served, "GET", `/v1/read?document=${encodeURIComponent(id)}`);
      expect(read.status, id).toBe(200);
      for (const [name, value] of Object.entries(read.headers))
        expect(`${name}: ${String(value)}`).not.toMatch(/title|walrus|[\r\n]/);
    }
    const refused = await call(served, "GET", `/v1/read?document=${encodeURIComponent(HOSTILE_NAME)}`);
    expect(refused.status).toBe(404);
    expect(refused.text).not.toMatch(CONTROLS);
    expect(served.said.join("\n")).not.toMatch(CONTROLS);
    expect(served.said.filter((line) => /^error: such file/.test(line))).toEqual([]);
  });

  test("are streams whose messages a document cannot end or forge", async () => {
    const events = await eventsOf(served, { query: "What does the walrus say?" });
    expect(events.at(-1)?.event).toBe("result");
    expect(events.filter(({ event }) => event === "result")).toHaveLength(1);
    expect(Reflect.get({}, "polluted")).toBe(undefined);
  });
});

realChromium.describe("pages over a hostile corpus in Chromium", () => {
  let browser: Browser;
  let served: Served;
  beforeAll(async () => {
    served = await startServe(packed, folder, []);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await served?.stop();
  });

  /** A page that may ask its own origin and nothing else, and what went wrong on it. */
  async function open(url: string): Promise<{ readonly page: Page; readonly trouble: string[] }> {
    const page = await (await browser.newContext()).newPage();
    const trouble: string[] = [];
    const own = url.startsWith("file:") ? url : `${new URL(url).origin}/`;
    page.on("pageerror", (error) => trouble.push(error.message));
    page.on("dialog", (dialog) => trouble.push(`dialog ${dialog.message()}`));
    page.on("popup", (popup) => trouble.push(`popup ${popup.url()}`));
    page.on("request", (request) => {
      if (!request.url().startsWith(own) && !request.url().startsWith("data:")) trouble.push(request.url());
    });
    await page.goto(url);
    return { page, trouble };
  }

  async function expectInert({ page, trouble }: Awaited<ReturnType<typeof open>>): Promise<void> {
    await page.waitForTimeout(300);
    expect(trouble).toEqual([]);
    expect(await page.evaluate("window.harmed")).toBe(undefined);
    expect(
      await page.locator("#app script, #app img, #app iframe, #app style, #app meta, #app svg image, #app use").count(),
    ).toBe(0);
    const links = await page.locator("#app a").evaluateAll((all) => all.map((one) => one.getAttribute("href") ?? ""));
    expect(links.filter((href) => !/^(https?:\/\/|#|\/)/.test(href))).toEqual([]);
    expect(await page.title()).not.toMatch(/<|harmed/);
  }

  realChromium.test("the run viewer runs and fetches nothing, at any view", async () => {
    const file = join(folder, "viewer.html");
    expect((await winnow("show", runId, "--html", file)).code).toBe(0);
    expect(readFileSync(file, "utf8").split("<script").length).toBe(
      readFileSync(join(packed.package, "dist", "web", "viewer.html"), "utf8").split("<script").length,
    );
    const opened = await open(pathToFileURL(file).href);
    for (const key of ["1", "2", "3", "p", "j", "4", "1", "j", "2"]) {
      await opened.page.keyboard.press(key);
      await opened.page.waitForTimeout(50);
    }
    await expectInert(opened);
  });

  realChromium.test("the search page shows what was found and runs none of it", async () => {
    const opened = await open(served.url);
    const { page } = opened;
    await page.getByLabel("Question").fill(`What does the walrus say? ${PAGE_HARM}`);
    await page.keyboard.press("Enter");
    await page.getByRole("tab", { name: "Result" }).waitFor();
    for (const key of ["2", "3", "4", "1"]) {
      await page.keyboard.press(key);
      await page.waitForTimeout(50);
    }
    await expectInert(opened);
  });
});
