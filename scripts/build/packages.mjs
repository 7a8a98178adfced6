import { existsSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { declaredLicence } from "./licences.mjs";

/** @typedef {{ name: string, version: string, license: string, directory: string }} Package */

/** @type {Map<string, Package | undefined>} */
const known = new Map();

/** @param {string} directory @returns {Package | undefined} */
function readPackage(directory) {
  const file = join(directory, "package.json");
  if (!existsSync(file)) return undefined;
  const manifest = JSON.parse(readFileSync(file, "utf8"));
  const { name, version } = manifest;
  const license = declaredLicence(manifest) ?? "unknown terms";
  // Folders such as dist/esm hold a package.json that only says `"type": "module"`.
  return typeof name === "string" && typeof version === "string" ? { name, version, license, directory } : undefined;
}

/**
 * The installed package that a module belongs to; undefined for our own files.
 * @param {string} path
 * @returns {Package | undefined}
 */
export function packageOf(path) {
  if (!path.includes(`${sep}node_modules${sep}`)) return undefined;
  const directory = dirname(path);
  if (known.has(directory)) return known.get(directory);
  const found = readPackage(directory) ?? packageOf(directory);
  known.set(directory, found);
  return found;
}
