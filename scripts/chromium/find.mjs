import { existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/** Where the installers of other platforms put it. */
const PLACES = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/**
 * The browser for tests and screenshots: the one that WINNOW_CHROMIUM names, the first on the PATH, or one in a usual
 * place. Undefined where there is none.
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string | undefined}
 */
export function findChromium(environment) {
  const named = environment["WINNOW_CHROMIUM"] ?? "";
  if (named !== "") return named;
  const folders = (environment["PATH"] ?? "").split(delimiter).filter(isAbsolute);
  const candidates = [...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), ...PLACES];
  return candidates.find((file) => existsSync(file));
}

/** Tests run in containers, often as root, where the browser's own sandbox cannot start. */
export const CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu"];
