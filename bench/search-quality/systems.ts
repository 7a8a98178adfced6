import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Ranker } from "../../src/agent/policies/rules/ranker.ts";
import { rulesPolicy } from "../../src/agent/policies/rules/rules.ts";
import { DEFAULT_RULES, type RulesSettings } from "../../src/agent/policies/rules/settings.ts";
import type { Policy } from "../../src/agent/policy.ts";
import { hashOf, type Profile } from "../../src/agent/profiles/profile.ts";
import type { FindMode } from "../../src/retrieval/corpus-reader.ts";
import { DEFAULT_FUSION, type FusionSettings } from "../../src/retrieval/find/fusion-settings.ts";

/** Something that is measured on a set. */
export interface System {
  /** As reports show it. */
  readonly name: string;
  readonly policy: string;
  readonly fusion?: FusionSettings;
  readonly settings?: Partial<RulesSettings>;
  /** Weights of the ranker of `rules`, in place of those that are shipped. */
  readonly weights?: Weights;
  readonly mode?: FindMode;
  /** Tokens. */
  readonly window?: number;
  readonly pruning?: Profile["pruning"];
}

/** The content of a file of weights, as python/rules/fit_ranker.py writes it. */
export type Weights = Ranker;

/** Fusion by ranks, the default before scores were fused. */
const FUSION_BEFORE: FusionSettings = { k: 3, lexicalWeight: 1, denseWeight: 0.15, absentRank: null };

/** One query each, without an agent. In the order in which the best is named where several are equally good. */
export const ONE_SHOT: readonly System[] = [
  { name: "find:hybrid", policy: "find:hybrid" },
  { name: "hybrid before", policy: "find:hybrid", fusion: FUSION_BEFORE },
  { name: "find:lexical", policy: "find:lexical" },
  { name: "find:dense", policy: "find:dense" },
];
export const HYBRID = "find:hybrid";
export const HYBRID_BEFORE = "hybrid before";
export const UNCUT: System = { name: "rules:uncut", policy: "rules:uncut" };
export const OWN_LIST: System = { name: "rules", policy: "rules" };

/** `rules:uncut` with weights that were fitted without the sets of a kind. */
export function fittedWithout(kind: string, weights: Weights): System {
  return { ...UNCUT, name: `rules:uncut, fitted without ${kind}`, weights };
}

/** Makes the policy of a system, undefined where it is a single query. */
export function createPolicyOf(system: System): (() => Policy) | undefined {
  const { policy, settings, weights } = system;
  if (!policy.startsWith("rules")) return undefined;
  return () => rulesPolicy({ ...DEFAULT_RULES, cut: policy === "rules", ...settings, ...(weights && { weights }) });
}

/** All that a system is, beside its code: equal texts measure the same. */
export function settingsText({ name: _, ...system }: System): string {
  const fusion = system.policy.includes("lexical") || system.policy.includes("dense") ? undefined : DEFAULT_FUSION;
  const rules = system.policy.startsWith("rules") ? named(DEFAULT_RULES) : undefined;
  return JSON.stringify({ fusion, rules, ...named(system) });
}

/** With a hash in place of the weights, which are long. */
function named<Settings extends { readonly weights?: Weights }>(settings: Settings): object {
  return settings.weights === undefined ? settings : { ...settings, weights: hashOf(settings.weights) };
}

const SEARCH_CODE = [
  "core",
  "models",
  "retrieval",
  join("features", "find-documents.ts"),
  join("features", "indexing"),
];
const AGENT_CODE = ["agent"];

/** Digest of the code that a system's figures depend on; tests left out. */
export async function codeDigest(root: string, { policy }: System): Promise<string> {
  const hash = createHash("sha256");
  for (const part of [...SEARCH_CODE, ...(policy.startsWith("rules") ? AGENT_CODE : [])]) {
    for (const file of await codeFiles(join(root, "src", part))) hash.update(await readFile(file));
  }
  return hash.digest("hex").slice(0, 12);
}

async function codeFiles(path: string): Promise<string[]> {
  if (path.endsWith(".ts")) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Files `KIND.json` of a folder, by kind: weights that were fitted without the sets of that kind. */
export async function readWeights(
  folder: string | undefined,
  kinds: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Weights>> {
  const found = new Map<string, Weights>();
  if (folder === undefined) return found;
  for (const name of (await readdir(folder)).filter((each) => each.endsWith(".json")).sort()) {
    const kind = basename(name, ".json");
    if (!kinds.has(kind)) throw new Error(`${name}: no set is of this kind; kinds: ${[...kinds].join(", ")}.`);
    const value: unknown = JSON.parse(await readFile(join(folder, name), "utf8"));
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${name} is no object.`);
    found.set(kind, value as Weights);
  }
  if (found.size === 0) throw new Error(`${folder} holds no weights.`);
  return found;
}
