import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { launchChromium, realChromium } from "../support/chromium.ts";
import { runCommand } from "../support/command.ts";
import { type Served, startServe } from "../support/serve.ts";
import { contrastFailures, namelessControls } from "../support/viewer-checks.ts";

const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "winnow-search-page-"));
const home = join(folder, "home");
const place = { cli, home };
const QUESTION = "Who owns the retries of the importer?";
const HARM = `<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>`;

let browser: Browser;
let served: Served;
let troubles: string[] = [];

realChromium.describe("the search page in Chromium", () => {
  beforeAll(async () => {
    mkdirSync(join(folder, "docs"), { recursive: true });
    mkdirSync(home, { recursive: true });
    writeFileSync(
      join(folder, "docs", "retries.md"),
      "---\ndate: 2026-03-01\nsuperseded_by: docs/later.md\n---\n# Retries\n\nThe importer retries five times. Owned by Harbour.\n",
    );
    writeFileSync(
      join(folder, "docs", `harm ${HARM.replaceAll("/", "")}.md`),
      `# Retries ${HARM}\n\n${HARM} of the importer\n`,
    );
    for (let i = 0; i < 30; i++)
      writeFileSync(join(folder, "docs", `n${i}.md`), `# Note ${i}\n\nThe importer of gate ${i}.\n`);
    const { code, stderr } = await runCommand(cli, ["index", "docs"], { cwd: folder, home });
    expect(code, stderr).toBe(0);
    served = await startServe(place, folder, []);
    browser = await launchChromium();
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    const met = troubles;
    troubles = [];
    expect(met).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await served?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(url: string, options: Parameters<Browser["newContext"]>[0] = {}, mayFail = false): Promise<Page> {
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options })).newPage();
    const { origin } = new URL(url);
    page.on("pageerror", (error) => troubles.push(error.message));
    page.on("dialog", (dialog) => troubles.push(`dialog ${dialog.message()}`));
    page.on("console", (message) => {
      if (!mayFail && ["error", "warning"].includes(message.type())) troubles.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith("data:")) troubles.push(request.url());
    });
    await page.goto(url);
    return page;
  }

  const ask = async (page: Page, question: string): Promise<void> => {
    await page.getByLabel("Question").fill(question);
    await page.keyboard.press("Enter");
  };

  realChromium.test("answers a question, names the documents, and finds the run again after a reload", async () => {
    const page = await open(served.url);
    await page.getByText("No search has been recorded yet").waitFor();
    await ask(page, QUESTION);
    await page.getByRole("tab", { name: "Result" }).waitFor();
    await page
      .getByRole("heading", { name: /^1 ?Retries/ })
      .first()
      .waitFor();
    await page.getByText("superseded by docs/later.md", { exact: true }).waitFor();
    await page.getByText("2026-03-01", { exact: true }).waitFor();
    await page.keyboard.press("Tab");
    await page.getByRole("tab", { name: "Turn" }).click();
    await page.getByRole("heading", { name: "Turn 1", exact: true }).waitFor();
    expect(page.url()).toMatch(/#run=\d{8}T/);
    await page.reload();
    await page.getByRole("tab", { name: "Result" }).waitFor();
    expect(await page.getByLabel("Question").inputValue()).toBe(QUESTION);
    await page.getByRole("button", { name: "Winnow", exact: true }).click();
    await page.getByRole("button", { name: new RegExp(QUESTION.slice(0, 20)) }).click();
    await page.getByRole("tab", { name: "Result" }).waitFor();
  });

  realChromium.test("narrows down by a filter, and says what is wrong with one", async () => {
    const page = await open(served.url, {}, true);
    await page.getByText("Options").click();
    await page.getByLabel("Filter").fill("path contains n7");
    await ask(page, "importer");
    await page.getByRole("heading", { name: "1 document" }).waitFor();
    await page.getByLabel("Filter").fill("nothing at all");
    await ask(page, "importer");
    await page.getByRole("alert").waitFor();
  });

  realChromium.test("executes nothing that stands in documents, titles and file names", async () => {
    const page = await open(served.url);
    await ask(page, "importer img src onerror script harmed");
    await page.getByRole("tab", { name: "Result" }).waitFor();
    await page.getByText("onerror=").first().waitFor();
    for (const name of ["Turn", "Chunks", "Context"]) {
      await page.getByRole("tab", { name, exact: true }).click();
      await page.waitForTimeout(100);
    }
    expect(await page.evaluate("window.harmed")).toBeUndefined();
  });

  realChromium.test("asks for a token where the server wants one", async () => {
    const token = "a-long-random-text-of-a-test";
    const guarded = await startServe(place, folder, ["--token-env", "T"], { T: token });
    try {
      const page = await open(guarded.url, {}, true);
      await page.getByLabel("Token").fill("wrong");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").waitFor();
      await page.getByLabel("Token").fill(token);
      await page.keyboard.press("Enter");
      await ask(page, QUESTION);
      await page.getByRole("tab", { name: "Result" }).waitFor();
    } finally {
      await guarded.stop();
    }
  });

  for (const [colorScheme, width] of [
    ["light", 1_280],
    ["dark", 1_280],
    ["light", 360],
  ] as const) {
    realChromium.test(`is legible and named in ${colorScheme} at ${width} pixels`, async () => {
      const page = await open(served.url, { colorScheme, viewport: { width, height: 760 } });
      await page.getByText("Options").click();
      for (const step of ["home", "result"]) {
        if (step === "result") {
          await ask(page, QUESTION);
          await page.getByRole("tab", { name: "Result" }).waitFor();
        }
        expect(await page.evaluate(contrastFailures), step).toEqual([]);
        expect(await page.evaluate(namelessControls), step).toEqual([]);
        const beyond = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        expect(await page.evaluate(beyond), step).toBeLessThanOrEqual(0);
      }
    });
  }

  realChromium.test("stops a run that is asked to stop, and goes on", async () => {
    const page = await open(served.url);
    await ask(page, QUESTION);
    const stop = page.getByRole("button", { name: "Stop" });
    if (await stop.isVisible()) await stop.click({ timeout: 500 }).catch(() => undefined);
    await page.getByRole("button", { name: "Search", exact: true }).waitFor();
    await ask(page, "gate 12 importer");
    await page.getByRole("tab", { name: "Result" }).waitFor();
    expect(await page.getByLabel("Question").inputValue()).toBe("gate 12 importer");
  });

  realChromium.test("says so when the server is gone", async () => {
    const own = await startServe(place, folder, []);
    const page = await open(own.url, {}, true);
    await page.getByRole("heading", { name: "Recorded runs" }).waitFor();
    await own.stop();
    await ask(page, QUESTION);
    await page.getByText("The server cannot be reached.").waitFor();
  });
});
