// What the weights of `rules` are fitted on: the features of every chunk in view when a run ends, one line a question.
// `node scripts/bench.mjs rules-features DATASET OUT.jsonl`, then python/rules/fit_weights.py.
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { readEvidence } from "../src/agent/policies/rules/evidence.ts";
import { Pool } from "../src/agent/policies/rules/pool.ts";
import { readQuestion } from "../src/agent/policies/rules/question.ts";
import { rulesPolicy } from "../src/agent/policies/rules/rules.ts";
import { featuresOf, scoreItems } from "../src/agent/policies/rules/score.ts";
import { DEFAULT_RULES } from "../src/agent/policies/rules/settings.ts";
import { spread } from "../src/agent/policies/rules/spread.ts";
import type { Policy } from "../src/agent/policy.ts";
import { CORPUS_FILE } from "../src/eval/corpus-source.ts";
import { evaluateDataset } from "../src/features/evaluate-dataset.ts";

const [dataset, out] = process.argv.slice(2);
if (dataset === undefined || out === undefined) throw new Error("Give a dataset and a file to write.");
const lines = new Map<string, string>();

function observed(): Policy {
  const rules = rulesPolicy({ ...DEFAULT_RULES, cut: false });
  return {
    ...rules,
    async decide(view, options) {
      const decision = await rules.decide(view, options);
      if (decision.calls.every((call) => call.tool === "finish")) {
        const question = readQuestion(view.query);
        const evidence = readEvidence(view.context);
        const pool = new Pool(evidence.chunks.map(({ chunk }) => chunk));
        const reach = spread(question, pool);
        const scores = scoreItems(question, pool, evidence, reach);
        const items = [...featuresOf(question, pool, evidence, reach)].map(([item, features]) => ({
          document: documentOf(item.chunk.key),
          terms: item.length,
          score: scores.get(item),
          features,
        }));
        lines.set(view.query, JSON.stringify({ query: view.query, items }));
      }
      return decision;
    },
  };
}

/** Chunks of a dataset's row `ID` are keyed `…corpus.jsonl#ID#N`. */
function documentOf(key: string): string {
  const row = key.slice(key.indexOf(`${CORPUS_FILE}#`) + CORPUS_FILE.length + 1);
  return row.slice(0, row.lastIndexOf("#"));
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
  signal: new AbortController().signal,
});
await evaluation.result;
await close();
await writeFile(out, `${[...lines.values()].join("\n")}\n`);
