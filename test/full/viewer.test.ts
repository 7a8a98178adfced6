import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { viewerPage } from "../../src/features/write-viewer.ts";
import type { RunRecord } from "../../src/record/reader.ts";
import { launchChromium, realChromium } from "../support/chromium.ts";
import { contrastFailures, namelessControls } from "../support/viewer-checks.ts";
import { HARMFUL_URI, hostileRecord, largeRecord, recordText, sixtyTurns } from "../support/viewer-records.ts";

const LONG_TASK_MS = 100;
/** Other work of the machine can hold a page up: of so many rounds one has to be free of long tasks. */
const ROUNDS_MAX = 3;
const WHEEL_STEPS = 40;
const WHEEL_STEP_PX = 900;
const SETTLE_MS = 300;
const TEMPLATE = new URL("../../dist/web/viewer.html", import.meta.url);
/** Collects the long tasks of a page in `longTasks`, in milliseconds. */
const WATCH_LONG_TASKS = `
  window.longTasks = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longTasks.push(duration);
  }).observe({ type: "longtask" });
`;
/** What the measurement above must find. */
const BE_BUSY = `
  setTimeout(() => {
    for (const until = performance.now() + 150; performance.now() < until; );
  });
`;
const VIEWS = ["turn", "chunks", "context", "result"] as const;
const folder = mkdtempSync(join(tmpdir(), "winnow-viewer-"));

interface Opened {
  readonly page: Page;
  /** Console errors, uncaught errors, requests to anywhere but the page's own file. */
  readonly trouble: string[];
}

let browser: Browser;
let opened: Opened[] = [];
const files: Record<string, string> = {};

realChromium.describe("the run viewer in Chromium", () => {
  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    const [sixty, large, hostile] = [sixtyTurns(), await largeRecord(), await hostileRecord()];
    const pages: Record<string, readonly RunRecord[]> = {
      empty: [],
      sixty: [sixty],
      large: [large],
      hostile: [hostile],
      both: [sixty, large],
    };
    for (const [name, records] of Object.entries(pages)) {
      const page = await viewerPage(
        records.map((record, i) => ({ record, path: `/runs/${name}-${i}.jsonl` })),
        TEMPLATE,
      );
      files[name] = join(folder, `${name}.html`);
      writeFileSync(files[name], name === "empty" ? readFileSync(fileURLToPath(TEMPLATE)) : page);
    }
    browser = await launchChromium();
  });
  afterEach(async () => {
    const trouble = opened.flatMap((one) => one.trouble);
    await Promise.all(opened.map(({ page }) => page.context().close()));
    opened = [];
    expect(trouble).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(name: string, options: Parameters<Browser["newContext"]>[0] = {}, hash = ""): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
    const page = await context.newPage();
    const trouble: string[] = [];
    const own = pathToFileURL(files[name] ?? "").href;
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") trouble.push(message.text());
    });
    page.on("pageerror", (error) => trouble.push(error.message));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(own) && !url.startsWith("data:")) trouble.push(`asked for ${url}`);
    });
    page.on("dialog", (dialog) => trouble.push(`dialog ${dialog.message()}`));
    opened.push({ page, trouble });
    await page.goto(own + hash);
    return page;
  }

  const currentTurn = async (page: Page): Promise<number> =>
    Number(await page.getByRole("slider").first().getAttribute("aria-valuenow"));

  realChromium.test("walks sixty turns by keyboard and shows each view", async () => {
    const page = await open("sixty");
    await page.getByRole("heading", { name: "Turn 1", exact: true }).waitFor();
    expect(await page.locator(".timeline li").count()).toBe(60);
    for (const key of ["j", "j", "ArrowRight", "k"]) await page.keyboard.press(key);
    expect(await currentTurn(page)).toBe(3);
    await page.keyboard.press("End");
    expect(await currentTurn(page)).toBe(60);
    await page.keyboard.press("j");
    expect(await currentTurn(page)).toBe(60);
    await page.keyboard.press("Home");
    expect(await currentTurn(page)).toBe(1);
    await page.keyboard.press("2");
    await page.getByRole("heading", { name: /541 chunks of 164 documents/ }).waitFor();
    await page.keyboard.press("4");
    await page.getByRole("heading", { name: "5 documents" }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    const slider = page.getByRole("slider").first();
    await slider.focus();
    await page.keyboard.press("ArrowRight");
    expect(await slider.getAttribute("aria-valuetext")).toMatch(/^Turn 2: 4,680 of 32,768 tokens/);
    expect(await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle)).toBe("solid");
  });

  realChromium.test("shows each context verified, and strikes out what was pruned on demand", async () => {
    const page = await open("sixty", {}, "#turn=24&view=context");
    await page.getByText("verified, byte for byte").waitFor();
    expect(await page.locator("del").count()).toBe(0);
    const label = await page.getByRole("checkbox", { name: /Show the \d+ pruned chunks/ });
    await label.check();
    const struck = await page.locator("del").count();
    expect(struck).toBe(Number(/\d+/.exec((await page.locator(".toggle").textContent()) ?? "")?.[0]));
    expect(
      await page
        .locator("del")
        .first()
        .evaluate((one) => getComputedStyle(one).textDecorationLine),
    ).toContain("line-through");
    await page.keyboard.press("p");
    expect(await page.locator("del").count()).toBe(0);
    for (let turn = 24; turn < 60; turn += 6) {
      for (let i = 0; i < 6; i++) await page.keyboard.press("j");
      await page.getByRole("heading", { name: `Context at turn ${turn + 6}` }).waitFor();
      expect(await page.locator(".verified").count()).toBe(1);
    }
  });

  realChromium.test("more than 60 turns and 1,000 chunks: no long task while scrolling or choosing turns", async () => {
    const page = await open("large", {}, "#view=chunks");
    const heading = await page.getByRole("heading", { name: /chunks of/ }).textContent();
    expect(Number(heading?.replaceAll(",", "").split(" ")[0])).toBeGreaterThan(1_000);
    expect(await page.locator(".timeline li").count()).toBeGreaterThan(60);
    await page.getByRole("button", { name: "Open all" }).click();
    await page.waitForTimeout(1_000);
    await page.evaluate(WATCH_LONG_TASKS);
    await page.evaluate(BE_BUSY);
    await expect.poll(() => page.evaluate(() => Reflect.get(window, "longTasks").length)).toBeGreaterThan(0);
    const quietly = async (selector: string): Promise<void> => {
      const rounds: number[][] = [];
      for (let round = 0; round < ROUNDS_MAX; round++) {
        await page.evaluate(() => Reflect.get(window, "longTasks").splice(0));
        await scrollThrough(page, selector);
        const long: number[] = await page.evaluate(() => Reflect.get(window, "longTasks"));
        rounds.push(long.filter((milliseconds) => milliseconds > LONG_TASK_MS));
        if (rounds.at(-1)?.length === 0) return;
      }
      throw new Error(`Long tasks while scrolling ${selector}, in milliseconds: ${JSON.stringify(rounds)}`);
    };
    await quietly(".rows");
    expect(await page.locator(".rows").evaluate((rows) => rows.scrollHeight)).toBeGreaterThan(20_000);
    expect(await page.locator(".rows li").count()).toBeLessThan(150);
    await quietly(".timeline");
    await page.keyboard.press("1");
    await quietly("#panel");
    await page.keyboard.press("3");
    await page.keyboard.press("End");
    await page.getByText("verified, byte for byte").waitFor();
    await quietly("#panel");
    await page.getByRole("checkbox", { name: /pruned/ }).check();
    expect(await page.locator("del").count()).toBeGreaterThan(1_000);
    await quietly("#panel");
    await page.keyboard.press("4");
    await quietly("#panel");
  });

  realChromium.test("a hostile record executes nothing, and only addresses of the web are links", async () => {
    const page = await open("hostile");
    for (const key of ["1", "2", "3", "p", "j", "j", "p", "4", "1"]) {
      await page.keyboard.press(key);
      await page.waitForTimeout(50);
    }
    await page.keyboard.press("Home");
    await page.locator("button.chunk").first().click();
    await page.locator(".card").waitFor();
    expect(await page.evaluate(() => Reflect.get(window, "harmed"))).toBe(undefined);
    expect(await page.locator("#app script, #app img, #app [onload], #app [onerror]").count()).toBe(0);
    expect(await page.locator("body > *").count()).toBe(4);
    await page.keyboard.press("4");
    await page.getByRole("heading", { name: "5 documents" }).waitFor();
    const links = await page.locator("a").evaluateAll((all) => all.map((one) => one.getAttribute("href") ?? ""));
    expect(links.filter((href) => !/^https?:\/\//.test(href))).toEqual([]);
    expect(await page.getByText(HARMFUL_URI).count()).toBeGreaterThan(0);
    expect(await page.title()).toContain("</script>");
  });

  realChromium.test("opens what is dropped or chosen, and says what is wrong with the rest", async () => {
    const page = await open("empty");
    await page.getByRole("heading", { name: "Open a run" }).waitFor();
    const choose = (name: string, text: string): Promise<void> =>
      page.locator("input[type=file]").setInputFiles({ name, mimeType: "text/plain", buffer: Buffer.from(text) });
    await choose("notes.md", "# Notes\n");
    expect(await page.getByRole("alert").textContent()).toContain("notes.md is damaged at line 1: it is not JSON.");
    await choose("other.jsonl", '{"type":"header","schema":"trace/9"}\n');
    await page.getByText("other.jsonl has the format trace/9").waitFor();
    const text = recordText(sixtyTurns());
    await choose("cut.jsonl", text.slice(0, 60_000).replace("decision", "decade"));
    await page.getByText("cut.jsonl is damaged at line 2").waitFor();
    await drop(page, [["lies.jsonl", text.replace('"text":"Looking into log levels."', '"text":5')]]);
    await page.getByText("lies.jsonl is damaged at line").waitFor();
    // What no schema looks at is found out by whoever draws it.
    await drop(page, [["lies.jsonl", text.replaceAll('"headings":[', '"headings":5,"others":[')]]);
    await page.getByRole("heading", { name: "The record is damaged: a field has the wrong type." }).waitFor();
    await drop(page, [["sixty.jsonl", text]]);
    await page.getByRole("heading", { name: "Turn 1", exact: true }).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
    await page.keyboard.press("3");
    await page.getByText("verified, byte for byte").waitFor();
    await drop(page, [
      ["sixty.jsonl", text],
      ["hostile.jsonl", recordText(await hostileRecord())],
    ]);
    await page.getByRole("heading", { name: "Two runs side by side" }).waitFor();
  });

  realChromium.test("puts two runs side by side", async () => {
    const page = await open("both");
    await page.getByText("What they took").waitFor();
    expect(await page.getByRole("slider").count()).toBe(2);
    await page.keyboard.press("j");
    const turns = await page
      .getByRole("slider")
      .evaluateAll((all) => all.map((one) => one.getAttribute("aria-valuenow")));
    expect(turns).toEqual(["2", "2"]);
    await page.getByRole("button", { name: "Open run B alone" }).click();
    await page.getByRole("button", { name: "Side by side" }).waitFor();
    await page.getByRole("heading", { name: "Turn 2", exact: true }).waitFor();
  });

  for (const colorScheme of ["light", "dark"] as const) {
    realChromium.test(`contrast is at least AA and every control has a name (${colorScheme})`, async () => {
      const found: string[] = [];
      for (const [name, hash] of [
        ...VIEWS.map((view) => ["sixty", `#turn=28&view=${view}`] as const),
        ["both", ""] as const,
        ["empty", ""] as const,
      ]) {
        const page = await open(name, { colorScheme }, hash);
        await page.waitForTimeout(400);
        const where = `${name}${hash}`;
        if (hash.endsWith("context")) await page.keyboard.press("p");
        for (const failure of await page.evaluate(contrastFailures)) found.push(`${where}: ${failure}`);
        for (const failure of await page.evaluate(namelessControls)) found.push(`${where}: ${failure}`);
        expect(await page.locator("h1").count()).toBe(1);
        expect(await page.locator("main").count()).toBe(1);
      }
      expect(found).toEqual([]);
      const page = await open("sixty", { colorScheme });
      await page.evaluate(() => {
        const title = document.querySelector("h1");
        if (title !== null) title.style.color = "#808080";
        document.querySelector(".actions button")?.replaceChildren();
        document.querySelector(".actions button")?.removeAttribute("aria-label");
      });
      expect((await page.evaluate(contrastFailures)).length).toBeGreaterThan(0);
      expect(await page.evaluate(namelessControls)).toHaveLength(1);
    });
  }

  realChromium.test("fits 360 pixels: nothing is wider than the page, and every view can be reached", async () => {
    const page = await open("sixty", { viewport: { width: 360, height: 740 }, hasTouch: true });
    for (const name of ["Turns", "Turn", "Chunks", "Context", "Result"]) {
      await page.getByRole("tab", { name, exact: true }).click();
      await page.waitForTimeout(150);
      const wide = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect([name, wide]).toEqual([name, 0]);
    }
    await page.getByRole("tab", { name: "Turns", exact: true }).click();
    await page.locator(".timeline button").nth(4).click();
    await page.getByRole("heading", { name: "Turn 5", exact: true }).waitFor();
    const both = await open("both", { viewport: { width: 360, height: 740 } });
    const wide = await both.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide).toBe(0);
  });
});

/** Scrolls what a selector names to its end and back by the wheel. */
async function scrollThrough(page: Page, selector: string): Promise<void> {
  const box = await page.locator(selector).first().boundingBox();
  if (box === null) throw new Error(`There is no ${selector}.`);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (const way of [1, -1]) {
    for (let i = 0; i < WHEEL_STEPS; i++) await page.mouse.wheel(0, way * WHEEL_STEP_PX);
    await page.waitForTimeout(SETTLE_MS);
  }
}

/** Drops files on the page as a person does, without the disk. */
async function drop(page: Page, given: readonly (readonly [name: string, text: string])[]): Promise<void> {
  await page.evaluate((all) => {
    const dataTransfer = new DataTransfer();
    for (const [name, text] of all) dataTransfer.items.add(new File([text], name));
    for (const type of ["dragover", "drop"]) {
      document.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    }
  }, given);
}
