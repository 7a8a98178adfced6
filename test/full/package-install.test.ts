import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { declaredLicence, isPermissive } from "../../scripts/build/licences.mjs";
import { type Packed, packAndUnpack, readJson } from "../support/packed.ts";
import { skipUnless } from "../support/skip-unless.ts";

const INSTALL_BYTES_MAX = 230 * 2 ** 20;
const FORBIDDEN = /(^|\/)(@huggingface\/transformers|openai|sharp|onnxruntime[\w-]*)$/;

const work = mkdtempSync(join(tmpdir(), "winnow-install-"));
const home = join(work, "home");
const env = { PATH: process.env["PATH"], HOME: home };
mkdirSync(home);

/** npm with an empty HOME, so that no setting of this user counts. */
const npm = (cwd: string, args: readonly string[], timeoutMs: number): SpawnSyncReturns<string> =>
  spawnSync("npm", args, { cwd, env, encoding: "utf8", timeout: timeoutMs });

/** Installs into a fresh folder with scripts allowed; the shell that npm would run them with notes each one instead. */
function installWatched(name: string, what: string): { folder: string; said: string; scriptsRun: string[] } {
  const folder = join(work, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "name": "empty", "private": true }');
  const notes = join(work, `${name}.scripts`);
  const shell = join(work, `${name}-shell`);
  writeFileSync(shell, `#!/bin/sh\necho "$npm_package_name $npm_lifecycle_event" >> "${notes}"\n`);
  chmodSync(shell, 0o755);
  const args = [
    "install",
    what,
    "--ignore-scripts=false",
    `--script-shell=${shell}`,
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
  ];
  const { status, stdout, stderr } = npm(folder, args, 400_000);
  const said = `${stdout}${stderr}`;
  expect(said.includes("npm error") ? said : status).toBe(0);
  const scriptsRun = existsSync(notes) ? readFileSync(notes, "utf8").trim().split("\n") : [];
  return { folder, said, scriptsRun };
}

const online =
  process.platform !== "win32" && npm(work, ["view", "tslib@2", "name", "--fetch-retries=0"], 30_000).status === 0;
const { describe, test } = skipUnless(online, "a package registry and a POSIX shell are needed to install from.");

let packed: (Packed & { remove(): void }) | undefined;
beforeAll(() => {
  packed = packAndUnpack();
});
afterAll(() => {
  packed?.remove();
  rmSync(work, { recursive: true, force: true });
});

test("the detector sees an install script, so that its silence means something", () => {
  const planted = join(work, "planted-package");
  mkdirSync(planted);
  const scripts = { postinstall: "echo ran" };
  writeFileSync(join(planted, "package.json"), JSON.stringify({ name: "planted", version: "1.0.0", scripts }));
  npm(planted, ["pack", "--pack-destination", work], 60_000);
  expect(installWatched("planted", join(work, "planted-1.0.0.tgz")).scriptsRun).toEqual(["planted postinstall"]);
});

describe("npm install of the tarball into an empty folder with an empty home", () => {
  test("runs no script, warns of nothing, stays small, and works", () => {
    if (packed === undefined) throw new Error("The package was not packed.");
    const started = performance.now();
    const { folder, said, scriptsRun } = installWatched("user", packed.tarball);
    const seconds = (performance.now() - started) / 1000;
    expect(scriptsRun).toEqual([]);
    expect(said).not.toMatch(/npm warn|deprecated|EBADENGINE/i);
    const lock = readJson(join(folder, "node_modules", ".package-lock.json"));
    const places = Object.keys(lock.packages);
    expect(places.filter((place) => FORBIDDEN.test(place))).toEqual([]);
    expect(places.filter((place) => lock.packages[place].hasInstallScript === true)).toEqual([]);
    const licenceAt = (place: string) => declaredLicence(readJson(join(folder, place, "package.json")));
    expect(places.filter((place) => !isPermissive(licenceAt(place)))).toEqual([]);
    const bytes = readdirSync(join(folder, "node_modules"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
    console.log(`installed ${places.length} packages, ${(bytes / 2 ** 20).toFixed(1)} MiB, in ${seconds.toFixed(1)} s`);
    expect(bytes).toBeLessThan(INSTALL_BYTES_MAX);
    const command = join(folder, "node_modules", ".bin", "winnow");
    const help = spawnSync(command, ["--help"], { cwd: folder, env, encoding: "utf8" });
    expect({ status: help.status, stderr: help.stderr }).toEqual({ status: 0, stderr: "" });
  });
});
