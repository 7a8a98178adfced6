import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { packagesOf } from "./bundle.mjs";

/** What would end or reopen the element that the script stands in. */
const ENDS_SCRIPT = /<\/script|<!--|<script/i;
const ENDS_STYLE = /<\/style|<!--/i;

/** @param {string} text as it stands between the tags */
const sourceHash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/**
 * A parser of HTML replaces NUL and carriage returns, which the minifier writes as they are: only strings have them.
 * @param {string} code
 */
const plainCharacters = (code) => code.replaceAll("\0", "\\x00").replaceAll("\r", "\\r");

/** @param {string} root @param {string} entry */
async function script(root, entry) {
  /** @type {string[]} */
  const warnings = [];
  const build = await rolldown({
    cwd: root,
    input: join(root, "web", "src", entry),
    platform: "browser",
    tsconfig: false,
    transform: { target: "es2023", jsx: { runtime: "automatic", importSource: "preact" } },
    treeshake: { moduleSideEffects: [{ test: /\/(src|zod)\//, sideEffects: false }] },
    resolve: { alias: { "node:crypto": join(root, "web", "src", "sha256.ts") } },
    onLog: (level, log) => {
      if (level === "warn") warnings.push(log.message);
    },
  });
  const { output } = await build.generate({ format: "iife", minify: true });
  await build.close();
  if (warnings.length > 0) throw new Error(`the bundler warns about ${entry}:\n${warnings.join("\n")}`);
  const [chunk, ...others] = output;
  if (others.length > 0) throw new Error(`${entry} is more than one file.`);
  return chunk;
}

/**
 * The pages of the package: the run viewer, which loads nothing and opens anywhere, and the search page, which asks the
 * server that it came from and nobody else.
 */
const PAGES = [
  { name: "viewer.html", entry: "main.tsx", connect: [], styles: ["1-base.css", "2-layout.css", "3-parts.css"] },
  {
    name: "search.html",
    entry: "search.tsx",
    connect: ["connect-src 'self'"],
    styles: ["1-base.css", "2-layout.css", "3-parts.css", "4-search.css"],
  },
];

/**
 * Writes each page as one file: script and style stand in it, and its policy lets nothing else in. `winnow show --html`
 * puts records into the viewer's empty element of data.
 * @param {{ root: string, out: string }} options
 * @returns {Promise<{ bytes: number, packages: import("./bundle.mjs").BundledPackage[] }>}
 */
export async function buildPages({ root, out }) {
  mkdirSync(join(out, "web"));
  let bytes = 0;
  const packages = [];
  for (const { name, entry, connect, styles } of PAGES) {
    const css = `\n${styles
      .map((file) => readFileSync(join(root, "web", "style", file), "utf8"))
      .join("")
      .trim()}\n`;
    if (ENDS_STYLE.test(css)) throw new Error(`the style of ${name} has text that would end its element.`);
    const chunk = await script(root, entry);
    const code = `\n${plainCharacters(chunk.code).trim()}\n`;
    if (ENDS_SCRIPT.test(code)) throw new Error(`${entry} has text that would end its element.`);
    const policy = [
      "default-src 'none'",
      `script-src ${sourceHash(code)}`,
      `style-src ${sourceHash(css)}`,
      ...connect,
      "img-src data:",
      "base-uri 'none'",
      "form-action 'none'",
    ].join("; ");
    /** @type {Record<string, string>} */
    const parts = { policy, style: css, script: code };
    const frame = readFileSync(join(root, "web", name), "utf8");
    const page = frame.replace(/\/\*(policy|style|script)\*\//g, (_, /** @type {string} */ part) => parts[part] ?? "");
    writeFileSync(join(out, "web", name), page);
    bytes += Buffer.byteLength(page);
    packages.push(...packagesOf(chunk).values());
  }
  return { bytes, packages };
}
