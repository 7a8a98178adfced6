import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What the build tells about itself; stays out of the tarball. */
export const REPORT_FILE = "build.json";

const INPUT_FOLDERS = ["models", "src", "web", "assets", "scripts/build"];
const INPUT_FILES = [
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "scripts/build.mjs",
  "LICENSE",
];

/** @param {string} root @param {string} folder @returns {string[]} */
function filesUnder(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/**
 * One hash over everything that a build reads. Contents, not times: a fresh clone of the same commit hashes the same.
 * @param {string} root
 */
export function hashInputs(root) {
  const hash = createHash("sha256");
  const files = [
    ...INPUT_FILES.map((file) => join(root, file)),
    ...INPUT_FOLDERS.flatMap((folder) => filesUnder(root, folder)),
  ];
  for (const file of files.filter((path) => existsSync(path))) {
    const content = readFileSync(file);
    hash.update(`${file.slice(root.length)}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/**
 * Whether dist/ already holds the build of these inputs. A build with types also serves those who need none.
 * @param {string} dist @param {string} inputs @param {boolean} types
 */
export function isFresh(dist, inputs, types) {
  try {
    const last = JSON.parse(readFileSync(join(dist, REPORT_FILE), "utf8"));
    return last.inputs === inputs && (last.types === true || !types);
  } catch {
    return false;
  }
}
