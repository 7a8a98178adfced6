/** Licences that ask for no more than attribution. */
const PERMISSIVE = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MIT-0",
  "Python-2.0",
  "Unlicense",
  "Zlib",
]);

/**
 * Whether an SPDX expression lets us choose permissive terms. Nested parentheses do not occur and are refused.
 * @param {string | undefined} expression
 */
export function isPermissive(expression) {
  if (expression === undefined || expression === "") return false;
  const plain = expression.replace(/^\((.*)\)$/, "$1");
  return plain.split(" OR ").some((choice) => choice.split(" AND ").every((one) => PERMISSIVE.has(one.trim())));
}

/**
 * The licence that a package declares; older ones name it in a list called `licenses`.
 * @param {{ license?: unknown, licenses?: unknown }} manifest
 * @returns {string | undefined} an SPDX expression
 */
export function declaredLicence(manifest) {
  if (typeof manifest.license === "string") return manifest.license;
  if (!Array.isArray(manifest.licenses)) return undefined;
  return manifest.licenses.map((one) => String(one.type)).join(" OR ");
}
