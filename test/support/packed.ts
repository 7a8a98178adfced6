import { execFileSync } from "node:child_process";
import { cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Lock, productionPlaces } from "../../scripts/check/lock.mjs";

/** Root of the checkout. */
export const checkout = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");

/** The packed tarball, unpacked in an empty folder beside the production dependencies of the checkout. */
export interface Packed {
  readonly tarball: string;
  /** A folder whose node_modules holds the package and what an install would bring, and nothing else. */
  readonly folder: string;
  /** The unpacked package. */
  readonly package: string;
  /** The command, to be run with `process.execPath`. */
  readonly cli: string;
  /** An empty folder for HOME. */
  readonly home: string;
}

export function readJson(path: string) {
  return JSON.parse(readFileSync(path, "utf8"));
}

export function readLock(): Lock {
  return readJson(join(checkout, "package-lock.json"));
}

/** Hard links where the file system can, so that 200 MB need not be copied. A file is linked, never a folder: modules
 * must find their own dependencies in the new place, not in the checkout. */
function linkFile(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    if (from.endsWith(".node")) symlinkSync(from, to);
    else cpSync(from, to);
  }
}

function linkPackage(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.name === "node_modules") continue;
    if (entry.isDirectory()) linkPackage(join(from, entry.name), join(to, entry.name));
    else linkFile(join(from, entry.name), join(to, entry.name));
  }
}

/** Runs npm of this machine without its lifecycle scripts; returns what it prints on stdout. */
export function npm(cwd: string, args: readonly string[]): string {
  return execFileSync("npm", args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32",
  });
}

/** Builds if needed, packs, and unpacks. `remove` deletes it all again. */
export function packAndUnpack(): Packed & { remove(): void } {
  execFileSync(process.execPath, [join(checkout, "scripts", "build.mjs")], {
    cwd: checkout,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const folder = mkdtempSync(join(tmpdir(), "winnow-packed-"));
  const [{ filename }] = JSON.parse(npm(checkout, ["pack", "--json", "--pack-destination", folder]));
  const tarball = join(folder, filename);
  const modules = join(folder, "node_modules");
  const home = join(folder, "home");
  for (const path of [modules, home]) mkdirSync(path, { recursive: true });
  execFileSync("tar", ["-xzf", filename, "-C", "node_modules"], { cwd: folder });
  const unpacked = join(modules, "winnow-search");
  cpSync(join(modules, "package"), unpacked, { recursive: true });
  rmSync(join(modules, "package"), { recursive: true });
  const installed = new Set(Object.keys(readJson(join(checkout, "node_modules", ".package-lock.json")).packages));
  for (const place of productionPlaces(readLock())) {
    if (installed.has(place)) linkPackage(join(checkout, place), join(dirname(modules), place));
  }
  return {
    tarball,
    folder,
    package: unpacked,
    cli: join(unpacked, "dist", "cli.js"),
    home,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
