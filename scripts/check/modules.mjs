import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAst } from "rolldown/parseAst";

const FOLDERS = ["src", "web", "test", "scripts", "bench", "examples"];
const CODE = /\.(ts|tsx|mts|mjs)$/;
const SKIPPED = /(^|\/)(node_modules|dist|\.winnow|fixtures)(\/|$)/;
const SUITE = new Set(["describe", "suite"]);

/** @typedef {{ specifier: string, typeOnly: boolean, dynamic: boolean, line: number }} Import */
/** @typedef {{ name: string, line: number, lines: number }} FunctionSize */
/** @typedef {{ path: string, lines: number, imports: Import[], functions: FunctionSize[] }} Module */
/** @typedef {Record<string, unknown> & { type: string, start: number, end: number }} Node */

/** @param {unknown} value @returns {value is Node} */
function isNode(value) {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** @param {unknown} node @returns {string | undefined} the literal text of a string node */
function literal(node) {
  return isNode(node) && node.type === "Literal" && typeof node["value"] === "string" ? node["value"] : undefined;
}

/** The name that a callee ends in: `describe` for `describe`, `describe.each(rows)`, `local.describe`. @param {unknown} callee @returns {string[]} */
function calleeNames(callee) {
  if (!isNode(callee)) return [];
  if (callee.type === "Identifier") return [String(callee["name"])];
  if (callee.type === "MemberExpression") return [...calleeNames(callee["object"]), ...calleeNames(callee["property"])];
  return callee.type === "CallExpression" ? calleeNames(callee["callee"]) : [];
}

/** Whether every name that an import or export statement brings is a type. @param {Node} node */
function isTypeOnly(node) {
  if (node["importKind"] === "type" || node["exportKind"] === "type") return true;
  const specifiers = Array.isArray(node["specifiers"]) ? node["specifiers"] : [];
  return specifiers.length > 0 && specifiers.every((one) => one.importKind === "type" || one.exportKind === "type");
}

/** @param {string} text @returns {(offset: number) => number} */
function lineCounter(text) {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    for (let high = starts.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

/** @param {Node} node @returns {{ specifier: string, typeOnly: boolean, dynamic: boolean } | undefined} */
function importOf(node) {
  const specifier = literal(node["source"]);
  if (specifier === undefined) return undefined;
  if (node.type === "ImportExpression") return { specifier, typeOnly: false, dynamic: true };
  const statement = ["ImportDeclaration", "ExportNamedDeclaration", "ExportAllDeclaration"].includes(node.type);
  if (statement) return { specifier, typeOnly: isTypeOnly(node), dynamic: false };
  return node.type === "TSImportType" ? { specifier, typeOnly: true, dynamic: false } : undefined;
}

/** @param {Node} node @param {Node | undefined} parent */
function functionName(node, parent) {
  const own = isNode(node["id"]) ? node["id"]["name"] : undefined;
  const key =
    parent && (isNode(parent["key"]) ? parent["key"]["name"] : isNode(parent["id"]) ? parent["id"]["name"] : undefined);
  return String(own ?? key ?? "anonymous function");
}

/**
 * Imports and function sizes of one module. The callback of a `describe` is a heading, not a function, and isn't measured.
 * @param {string} path @param {string} text
 * @returns {Module}
 */
export function readModule(path, text) {
  const lineOf = lineCounter(text);
  /** @type {Import[]} */ const imports = [];
  /** @type {FunctionSize[]} */ const functions = [];
  const visit = (/** @type {Node} */ node, /** @type {Node | undefined} */ parent) => {
    const found = importOf(node);
    if (found !== undefined) imports.push({ ...found, line: lineOf(node.start) });
    const suite = parent?.type === "CallExpression" && calleeNames(parent["callee"]).some((name) => SUITE.has(name));
    if (/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type) && !suite) {
      const line = lineOf(node.start);
      functions.push({ name: functionName(node, parent), line, lines: lineOf(node.end) - line + 1 });
    }
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, node);
    }
  };
  visit(
    /** @type {Node} */ (
      /** @type {unknown} */ (
        parseAst(text, { lang: path.endsWith(".tsx") ? "tsx" : path.endsWith("ts") ? "ts" : "js" })
      )
    ),
    undefined,
  );
  return { path, lines: text.split("\n").length - (text.endsWith("\n") ? 1 : 0), imports, functions };
}

/**
 * Every module of ours under `root`, with POSIX paths relative to it.
 * @param {string} root
 */
export function readModules(root) {
  const paths = FOLDERS.filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map(
      (file) => `${folder}/${file.replaceAll("\\", "/")}`,
    ),
  );
  return paths
    .filter((path) => CODE.test(path) && !SKIPPED.test(path))
    .sort()
    .map((path) => readModule(path, readFileSync(join(root, path), "utf8")));
}
