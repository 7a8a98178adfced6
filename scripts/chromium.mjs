// `node scripts/chromium.mjs` prints where the browser for tests is: the one that WINNOW_CHROMIUM names, or the first on
// the PATH. With `--install`, Debian's package is installed where there is none and we are root. Exits with 1 without one.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { findChromium } from "./chromium/find.mjs";

const INSTALL_TIMEOUT_MS = 240_000;

function installOnDebian() {
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) return;
  console.error("chromium: installing Debian's package; this takes a minute or two…");
  // The lists that are there may do where they cannot be brought up to date.
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", "chromium"]]) {
    spawnSync("apt-get", args, {
      stdio: ["ignore", "ignore", "inherit"],
      timeout: INSTALL_TIMEOUT_MS,
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  }
}

const { values } = parseArgs({ options: { install: { type: "boolean" } } });
if (values.install && findChromium(process.env) === undefined) installOnDebian();
const found = findChromium(process.env);
if (found === undefined) {
  console.error("chromium: there is none here. Install it, or name one with WINNOW_CHROMIUM.");
  process.exitCode = 1;
} else {
  console.log(found);
}
