import { existsSync } from "node:fs";
import { join } from "node:path";

/** Published entry points: name of the file in dist/ and its source. The `exports` map of package.json names the same. */
const ENTRIES = {
  cli: "src/cli/main.ts",
  index: "src/index.ts",
  retrieval: "src/retrieval/index.ts",
  agent: "src/agent/index.ts",
  eval: "src/eval/index.ts",
  "ai-sdk": "src/ai-sdk.ts",
  testing: "src/testing/index.ts",
};

/**
 * Those entry points that exist.
 * @param {string} root
 * @returns {Record<string, string>} name to absolute path
 */
export function findEntries(root) {
  const found = Object.entries(ENTRIES)
    .map(([name, path]) => /** @type {const} */ ([name, join(root, path)]))
    .filter(([, path]) => existsSync(path));
  return Object.fromEntries(found);
}
