import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isPermissive } from "./licences.mjs";

const LICENCE_FILE = /^(licen[cs]e|copying|notice)([-.]|$)/i;

/**
 * The licence texts that a package ships. A package under Apache-2.0 may leave the text out: it is always the same.
 * @param {string} root @param {import("./packages.mjs").Package} bundled
 */
function licenceText(root, bundled) {
  const files = readdirSync(bundled.directory)
    .filter((file) => LICENCE_FILE.test(file))
    .sort();
  const texts = files.map((file) => readFileSync(join(bundled.directory, file), "utf8").trim());
  if (texts.length > 0) return texts.join("\n\n");
  if (bundled.license === "Apache-2.0")
    return readFileSync(join(root, "LICENSE"), "utf8")
      .replace(/\n +APPENDIX[\s\S]*/, "\n")
      .trim();
  // Packages of a repository that keeps the text at its root only: taken from there by us.
  const kept = join(root, "scripts", "build", "licences", `${bundled.name}.txt`);
  if (existsSync(kept)) return readFileSync(kept, "utf8").trim();
  throw new Error(`${bundled.name} ships no licence text.`);
}

/**
 * What the tarball says about the code in it that is not ours. Fails on a licence that is not permissive.
 * @param {string} root @param {readonly import("./packages.mjs").Package[]} packages
 */
export function noticesText(root, packages) {
  const parts = packages.map((bundled) => {
    if (!isPermissive(bundled.license))
      throw new Error(`${bundled.name} is under ${bundled.license}, which is not on our list.`);
    return `${"=".repeat(80)}\n${bundled.name} ${bundled.version} (${bundled.license})\n${"=".repeat(80)}\n\n${licenceText(root, bundled)}\n`;
  });
  return `The files beside this one contain code of the following packages.\n\n${parts.join("\n")}`;
}
