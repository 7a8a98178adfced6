// Takes the pictures of docs/viewer.md and docs/http.md: `node scripts/screenshots.mjs`. Builds, indexes the documentation that some of our
// devDependencies ship, asks the question of the demo under two budgets, and photographs the pages of these runs and of
// the kept record of sixty turns, and the search page. Offline; needs Chromium (scripts/chromium.mjs).
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { CHROMIUM_ARGUMENTS, findChromium } from "./chromium/find.mjs";
import { layOut } from "./demo/corpus.mjs";

const BYTES_MAX = 300_000;
const DESKTOP = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 740 };
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const images = join(root, "docs", "images");
const docs = join(root, "examples", "demo", "docs");

/** @typedef {{ name: string, page: string, place: string, viewport: { width: number, height: number }, dark?: boolean, press?: string }} Shot */

/** Runs a script of ours; returns what it prints. @param {readonly string[]} args */
function run(args) {
  const { status, stdout } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`node ${args.join(" ")} ended with ${status}.`);
  return stdout;
}

/** @param {readonly string[]} args */
const winnow = (args) => run([join(root, "dist", "cli.js"), ...args]);

/**
 * Makes the runs, and the pages that show them.
 * @param {string} folder @returns {{ sixty: string, one: string, two: string, corpus: string, question: string }}
 */
function makePages(folder) {
  run([join(root, "scripts", "build.mjs"), "--js-only"]);
  layOut(root, docs);
  const corpus = join(folder, "demo", ".winnow");
  const copy = join(folder, "demo", "docs");
  cpSync(docs, copy, { recursive: true });
  winnow(["index", copy, "--corpus", corpus, "--quiet"]);
  const question = readFileSync(join(root, "examples", "demo", "question.txt"), "utf8").trim();
  const runs = [
    ["--context", "12000"],
    ["--context", "12000", "--pruning", "oldest"],
  ].map((budget) => JSON.parse(winnow(["search", question, "--corpus", corpus, "--json", ...budget])).recordPath);
  const pages = { sixty: join(folder, "sixty.html"), one: join(folder, "one.html"), two: join(folder, "two.html") };
  winnow(["show", join(root, "docs", "evidence", "sixty-turns.jsonl"), "--html", pages.sixty]);
  winnow(["show", String(runs[0]), "--html", pages.one]);
  winnow(["show", ...runs, "--html", pages.two]);
  return { ...pages, corpus, question };
}

/** The search page, once its run has ended. @param {import("playwright-core").Browser} browser @param {string} corpus @param {string} question */
async function photographSearch(browser, corpus, question) {
  const command = [join(root, "dist", "cli.js"), "serve", "--port", "0", "--corpus", corpus];
  const server = spawn(process.execPath, command, { cwd: root, stdio: ["ignore", "pipe", "ignore"] });
  const context = await browser.newContext({ viewport: DESKTOP, colorScheme: "light", timezoneId: "UTC" });
  try {
    /** @type {string} */
    const address = await new Promise((resolve) => createInterface({ input: server.stdout }).once("line", resolve));
    const page = await context.newPage();
    await page.goto(address);
    await page.getByLabel("Question").fill(question);
    await page.keyboard.press("Enter");
    await page.getByRole("tab", { name: "Result" }).waitFor();
    await save(page, "search-page");
  } finally {
    await context.close();
    server.kill();
  }
}

/** @param {import("playwright-core").Browser} browser @param {Shot} shot */
async function photograph(browser, shot) {
  const { name, page: file, place, viewport, dark = false, press } = shot;
  const context = await browser.newContext({ viewport, colorScheme: dark ? "dark" : "light", timezoneId: "UTC" });
  const page = await context.newPage();
  await page.goto(`${pathToFileURL(file)}${place}`);
  await page.getByRole("slider").first().waitFor();
  if (place.includes("context")) await page.locator(".verified").waitFor();
  if (press !== undefined) await page.keyboard.press(press);
  await page.evaluate(
    "(document.querySelector('del.gone') ?? document.querySelector('.message.new .chunk'))?.scrollIntoView({ block: 'center' })",
  );
  await save(page, name);
  await context.close();
}

/** @param {import("playwright-core").Page} page @param {string} name */
async function save(page, name) {
  // Two frames: one lays out, one paints.
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  const picture = await page.screenshot({ path: join(images, `${name}.png`) });
  if (picture.length > BYTES_MAX)
    throw new Error(`${name}.png has ${picture.length} bytes; the limit is ${BYTES_MAX}.`);
  console.error(`screenshots: ${name}.png, ${Math.round(picture.length / 1_000)} kB`);
}

const executablePath = findChromium(process.env);
const folder = mkdtempSync(join(tmpdir(), "winnow-screenshots-"));
try {
  if (executablePath === undefined) throw new Error("there is no Chromium here; name one with WINNOW_CHROMIUM.");
  mkdirSync(images, { recursive: true });
  const { sixty, one, two, corpus, question } = makePages(folder);
  const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_ARGUMENTS] });
  /** @type {readonly Shot[]} */
  const shots = [
    { name: "viewer-chunks", page: one, place: "#turn=7&view=chunks", viewport: DESKTOP },
    { name: "viewer-turn", page: sixty, place: "#turn=24&view=turn", viewport: DESKTOP },
    {
      name: "viewer-context-dark",
      page: one,
      place: "#turn=7&view=context",
      viewport: DESKTOP,
      dark: true,
      press: "p",
    },
    { name: "viewer-narrow", page: one, place: "#turn=5&view=turn", viewport: NARROW },
    { name: "viewer-two-runs", page: two, place: "#turn=7", viewport: DESKTOP },
  ];
  try {
    for (const shot of shots) await photograph(browser, shot);
    await photographSearch(browser, corpus, question);
  } finally {
    await browser.close();
  }
} catch (error) {
  console.error(`screenshots: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
