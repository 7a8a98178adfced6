import { posix } from "node:path";

const SIBLINGS = ["retrieval", "models", "record", "sources", "config"];
const BELOW_FEATURES = ["agent", ...SIBLINGS];

/**
 * What each folder of src/ may import besides itself and core (design: imports point down only). A folder that is not
 * named here may not exist: giving it a layer is a decision.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const LAYERS = {
  core: [],
  ...Object.fromEntries(SIBLINGS.map((name) => [name, []])),
  agent: ["retrieval", "models", "record"],
  export: BELOW_FEATURES,
  eval: ["export", ...BELOW_FEATURES],
  tasks: ["eval", "export", ...BELOW_FEATURES],
  train: ["tasks", "eval", "export", ...BELOW_FEATURES],
  features: ["train", "tasks", "eval", "export", ...BELOW_FEATURES],
  /** The command line also starts the other adapters. */
  cli: ["mcp", "http", "features", "config"],
  mcp: ["features", "config"],
  http: ["features", "config"],
  testing: BELOW_FEATURES,
  /** The files directly in src/: the public surface. */
  "": ["features", "eval", "export", ...BELOW_FEATURES],
};

/** Adapters show what the layers below return: they may name its types, but run it through features only. */
const ADAPTERS = ["cli", "mcp", "http"];

/** The run viewer draws what a record holds: it may use what is pure below features, and nothing of ours uses it. */
const VIEWER_LAYERS = ["core", "agent", "record"];

/** @typedef {import("./modules.mjs").Module} Module */

/** @param {string} path @returns {string | undefined} the folder of src/ that a module lies in, "" for src/ itself */
function layerOf(path) {
  const [top, folder, ...rest] = path.split("/");
  if (top !== "src" || folder === undefined) return undefined;
  return rest.length === 0 ? "" : folder;
}

/** @param {Module} module @param {string} specifier */
function targetOf(module, specifier) {
  return specifier.startsWith(".") ? posix.join(posix.dirname(module.path), specifier) : undefined;
}

/** @param {Module} module @param {string} target @param {boolean} typeOnly @returns {string | undefined} why the import is wrong */
function wrongImport(module, target, typeOnly) {
  const from = layerOf(module.path);
  const to = layerOf(target);
  const isTest = module.path.endsWith(".test.ts");
  if (module.path.startsWith("web/") && to !== undefined) {
    const allowed = [...VIEWER_LAYERS, ...(isTest ? ["testing"] : [])];
    return allowed.includes(to) ? undefined : `web may not import src/${to}`;
  }
  if (from === undefined) return undefined;
  if (to === undefined) return isTest || target === "package.json" ? undefined : "code in src/ may only import src/";
  const allowed = [from, "core", ...(LAYERS[from] ?? []), ...(isTest ? ["testing"] : [])];
  if (typeOnly && ADAPTERS.includes(from)) allowed.push("eval", "export", ...BELOW_FEATURES);
  return allowed.includes(to) ? undefined : `src/${from} may not import src/${to}`;
}

/**
 * Imports that point up or sideways, and folders without a layer.
 * @param {readonly Module[]} modules
 * @returns {string[]} one sentence for each
 */
export function findBoundaryViolations(modules) {
  const problems = [];
  for (const module of modules) {
    const layer = layerOf(module.path);
    if (layer !== undefined && !(layer in LAYERS)) problems.push(`${module.path}: src/${layer} has no layer.`);
    for (const { specifier, line, typeOnly } of module.imports) {
      const target = targetOf(module, specifier);
      const wrong = target === undefined ? undefined : wrongImport(module, target, typeOnly);
      if (wrong !== undefined) problems.push(`${module.path}:${line}: ${wrong} (${specifier}).`);
    }
  }
  return problems;
}

/**
 * Circles of imports that exist when the program runs; a circle of types alone is harmless.
 * @param {readonly Module[]} modules
 * @returns {string[]} one line for each circle found
 */
export function findImportCycles(modules) {
  const edges = new Map(
    modules.map((module) => [
      module.path,
      module.imports.filter((one) => !one.typeOnly && !one.dynamic).map((one) => targetOf(module, one.specifier)),
    ]),
  );
  /** @type {Set<string>} */ const done = new Set();
  /** @type {string[]} */ const problems = [];
  const visit = (/** @type {string} */ path, /** @type {readonly string[]} */ trail) => {
    const at = trail.indexOf(path);
    if (at !== -1) problems.push(`import cycle: ${[...trail.slice(at), path].join(" -> ")}`);
    if (at !== -1 || done.has(path)) return;
    for (const target of edges.get(path) ?? []) if (target !== undefined) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return problems;
}
