// What the ranker of `rules` is fitted on: a row for every document that is ranked or in view when a run ends, one line a
// question. `node scripts/bench.mjs rules-features DATASET OUT.jsonl [--turns N]`, then python/rules/fit_ranker.py.
// `--turns` ends runs after so many turns of searching, which saves time where there are no chains to follow.
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { readEvidence } from "../src/agent/policies/rules/evidence.ts";
import { Pool } from "../src/agent/policies/rules/pool.ts";
import { readPrior } from "../src/agent/policies/rules/prior.ts";
import { readQuestion } from "../src/agent/policies/rules/question.ts";
import { rulesPolicy } from "../src/agent/policies/rules/rules.ts";
import {
  documentFeatures,
  EVIDENCE,
  type Features,
  RANKER_FEATURES,
  rowOf,
  wholeOf,
} from "../src/agent/policies/rules/score.ts";
import { DEFAULT_RULES } from "../src/agent/policies/rules/settings.ts";
import { spread } from "../src/agent/policies/rules/spread.ts";
import type { Policy, View } from "../src/agent/policy.ts";
import { CORPUS_FILE } from "../src/eval/corpus-source.ts";
import { loadDataset } from "../src/eval/dataset.ts";
import { evaluateDataset } from "../src/features/evaluate-dataset.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { turns: { type: "string", default: "16" }, limit: { type: "string" } },
});
const [dataset, out] = positionals;
if (dataset === undefined || out === undefined) throw new Error("Give a dataset and a file to write.");
const turnsMax = Number(values.turns);
const { signal } = new AbortController();
const gold = new Map((await loadDataset(dataset, signal)).queries.map((query) => [query.text, query.gold]));
const lines = new Map<string, string>();
const NOTHING = Object.fromEntries(EVIDENCE.map((name) => [name, 0])) as Features;

/** Chunks of a dataset's row `ID` are keyed `…corpus.jsonl#ID#N`. */
function documentOf(key: string): string {
  const row = key.slice(key.indexOf(`${CORPUS_FILE}#`) + CORPUS_FILE.length + 1);
  return row.slice(0, row.lastIndexOf("#"));
}

function rowsOf(view: View): string {
  const question = readQuestion(view.query);
  const evidence = readEvidence(view.context);
  const pool = new Pool(evidence.chunks.map(({ chunk }) => chunk));
  const prior = readPrior(view, evidence);
  const scoring = { question, pool, prior, reach: spread(question, pool), ranker: DEFAULT_RULES.weights };
  const features = documentFeatures(scoring);
  const whole = wholeOf(scoring);
  const keys = new Map((view.ranking ?? []).map(({ shownDocumentId, key }) => [shownDocumentId, key]));
  for (const { chunk } of evidence.chunks) keys.set(chunk.shownDocumentId, chunk.key);
  const documents = [...keys].map(([id, key]) => ({
    document: documentOf(key),
    rank: prior.rankOf(id) ?? null,
    row: rowOf(prior, id, features.get(id) ?? NOTHING, whole),
  }));
  const labels = Object.fromEntries(gold.get(view.query) ?? []);
  return JSON.stringify({ query: view.query, features: RANKER_FEATURES, gold: labels, documents });
}

function observed(): Policy {
  const rules = rulesPolicy({ ...DEFAULT_RULES, cut: false });
  return {
    ...rules,
    async decide(view, options) {
      const turns = view.context.messages.filter(({ role }) => role === "assistant").length;
      const decision = await rules.decide({ ...view, mustConclude: view.mustConclude || turns >= turnsMax }, options);
      if (decision.calls.every((call) => call.tool === "finish")) lines.set(view.query, rowsOf(view));
      return decision;
    },
  };
}

const { evaluation, close } = await evaluateDataset({
  dataset,
  cacheFolder: resolve("node_modules", ".cache", "winnow", "search-quality", "datasets"),
  policy: "rules:uncut",
  profile: "chat",
  k: 30,
  concurrency: 2,
  seed: 0,
  createPolicy: observed,
  signal,
  ...(values.limit !== undefined && { limit: Number(values.limit) }),
});
const { recallAt, turns } = await evaluation.result;
await close();
await writeFile(out, `${[...lines.values()].join("\n")}\n`);
console.log(dataset, JSON.stringify(recallAt), `${turns.toFixed(1)} turns`);
