import { spawn } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { systemErrorCode, WinnowError } from "../core/errors.ts";
import type { OpenedRecord } from "./open-record.ts";

/** Records that one page shows: side by side there is room for two. */
export const VIEWED_RECORDS_MAX = 2;
/** The place of the built page that the data goes to. */
const DATA_ELEMENT = '<script type="application/json" id="records"></script>';
/** Only its owner reads the page: it holds what the corpus holds. */
const PAGE_MODE = 0o600;
const OPENER_WAIT_MS = 1_500;

/**
 * JSON as the inert text of a script element: nothing in it can end the element or open another, and it holds no line end
 * that some parsers do not know. Parsed, it is `value` to the character.
 */
export function embeddedJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The run viewer with these records in it: one page that loads nothing, from anywhere. */
export async function viewerPage(opened: readonly OpenedRecord[], template: URL = builtTemplate()): Promise<string> {
  const page = await readTemplate(template);
  const at = page.indexOf(DATA_ELEMENT);
  if (at < 0) throw new WinnowError("internal", "The run viewer has no place for data.");
  const end = at + DATA_ELEMENT.length - "</script>".length;
  const records = opened.map(({ record, path }) => ({ name: basename(path), ...record }));
  return page.slice(0, end) + embeddedJson(records) + page.slice(end);
}

/** Writes the viewer with these records to a file, replacing what was there. */
export async function writeViewer(opened: readonly OpenedRecord[], file: string): Promise<void> {
  const page = await viewerPage(opened);
  try {
    await writeFile(file, page, { mode: PAGE_MODE });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== "ENOENT" && code !== "EISDIR" && code !== "EACCES") throw error;
    throw new WinnowError("invalid_argument", `${file} cannot be written.`, {
      hint: "Name a file in a folder that exists and is yours.",
      cause: error,
    });
  }
}

/** Writes the viewer to a new file in the system's folder for temporary ones, and returns its path. */
export async function writeTemporaryViewer(opened: readonly OpenedRecord[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "winnow-show-"));
  const name = opened.map(({ path }) => basename(path, extname(path))).join("-and-");
  const file = join(folder, `${name.replace(/[^\w.-]/g, "_")}.html`);
  await writeViewer(opened, file);
  return file;
}

/** Opens a file in the system's browser. Resolves with false where there is nothing to open it with. */
export function openInBrowser(file: string, platform: NodeJS.Platform = process.platform): Promise<boolean> {
  const [command, args] = browserCommand(file, platform);
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: "ignore", detached: true });
    const timer = setTimeout(() => resolve(true), OPENER_WAIT_MS);
    const settle = (isOpen: boolean): void => {
      clearTimeout(timer);
      resolve(isOpen);
    };
    child.on("error", () => settle(false));
    child.on("exit", (code) => settle(code === 0));
    child.unref();
  });
}

function browserCommand(file: string, platform: NodeJS.Platform): [command: string, args: readonly string[]] {
  if (platform === "darwin") return ["open", [file]];
  // No shell in between, which would read the file's name.
  if (platform === "win32") return ["rundll32", ["url.dll,FileProtocolHandler", pathToFileURL(file).href]];
  return ["xdg-open", [file]];
}

function builtTemplate(): URL {
  return new URL("./web/viewer.html", import.meta.url);
}

async function readTemplate(template: URL): Promise<string> {
  try {
    return await readFile(template, "utf8");
  } catch (error) {
    throw new WinnowError("dependency_missing", "This copy of Winnow has no run viewer.", {
      hint: `Install the package again, or build it with: npm run build (looked at ${fileURLToPath(template)})`,
      cause: error,
    });
  }
}
