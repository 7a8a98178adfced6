import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { loadConfig } from "../../../src/config/config.ts";
import { editedJson } from "../../../src/config/write-file.ts";
import { parseDateRange } from "../../../src/core/filter-date.ts";
import { matchesFilter } from "../../../src/core/filter-match.ts";
import { formatFilter, parseFilter } from "../../../src/core/filter-parse.ts";
import { nestsDeeper } from "../../../src/core/json-depth.ts";
import { corpusSource } from "../../../src/eval/corpus-source.ts";
import { loadDataset } from "../../../src/eval/dataset.ts";
import { readEvaluation } from "../../../src/eval/evaluation-files.ts";
import { indexCorpus } from "../../../src/features/index-corpus.ts";
import { parseLineRange } from "../../../src/features/read-document.ts";
import { sinceFilter } from "../../../src/features/since-filter.ts";
import { loadTokenCounter } from "../../../src/models/o200k-token-counter.ts";
import { corpusLayout, itemsFileOf } from "../../../src/retrieval/corpus/layout.ts";
import { readCorpusFile, readItems, readManifest } from "../../../src/retrieval/corpus/manifest.ts";
import { portablePattern } from "../../../src/retrieval/grep/pattern.ts";
import { compileRe2 } from "../../../src/retrieval/grep/re2-driver.ts";
import type { Chance } from "../../../src/testing/fuzz/chance.ts";
import { checkOutcome } from "../../../src/testing/fuzz/check-documents.ts";
import type { FuzzTarget } from "../../../src/testing/fuzz/fuzz.ts";
import { fuzzTests } from "../../support/fuzz-tests.ts";

const root = mkdtempSync(join(tmpdir(), "winnow-fuzz-inputs-"));
const [home, project, dataset, evaluation] = ["home", "project", "dataset", "evaluation"].map((name) =>
  join(root, name),
) as [string, string, string, string];
const layout = corpusLayout(join(root, "corpus", ".winnow"));
const signal = new AbortController().signal;

const CONFIG = [
  '{"policy":"rules","documents":10,"contextTokens":32768,"turns":3,"timeoutSeconds":1.5,"reasoning":"low","prices":{"m":{"input":1,"output":2}},"corpora":{"a":"./docs","b":{"folder":"x","role":"documents"},"c":{"source":"changelog","paths":["."]},"d":{"chroma":".chroma","collection":"notes","role":"documents","documentKey":"@id","embedder":"minilm"}}}',
];
const USER_CONFIG = [
  '{"baseUrl":"http://127.0.0.1:1/v1","apiKeyEnv":"KEY","mayRead":{"/project":["a"]},"requestSeconds":10,"profile":"chat"}',
];
const QUERIES = '{"_id":"q1","text":"Where?","answer":"here","aliases":["there"]}\n{"_id":2,"text":"Who?"}\n';
const CORPUS = '{"_id":"d1","title":"One","text":"First text."}\n{"_id":7,"title":null,"text":"Second."}\n';
const QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\n2\t7\t2\nq1\t7\t0\n";
const SCORES = {
  listLength: 1,
  recall: 1,
  precision: 1,
  f1: 1,
  allGold: 1,
  answerFound: null,
  trajectoryRecall: 1,
  pruneAccuracy: null,
  prunes: 0,
  recallAt: { "2": 1, "5": 1, "10": 1, "30": 1 },
  allGoldAt: { "2": 1, "5": 1, "10": 1, "30": 1 },
  ndcgAt: { "10": 1 },
};
const OUTCOME = {
  query: "q1",
  at: 1,
  gold: ["d1"],
  grades: [2],
  answer: {
    documents: ["d1"],
    seen: ["d1"],
    pruned: [],
    turns: 1,
    toolCalls: 1,
    promptTokens: 1,
    completionTokens: 1,
    seconds: 0.5,
    stopReason: "finished",
  },
  error: null,
  scores: SCORES,
};
const EVALUATION = {
  schema: "evaluation-header/1",
  id: "e",
  startedAt: 1,
  dataset: "d",
  datasetHash: "h",
  policy: "rules",
  profile: "chat",
  retrieval: "hybrid",
  k: 10,
  seed: 0,
  queries: 2,
};

const sealedFixtures: Buffer[] = [];
let generation = 1;

beforeAll(async () => {
  for (const folder of [join(home, "winnow"), project, dataset, evaluation, join(root, "corpus")])
    mkdirSync(folder, { recursive: true });
  writeFileSync(join(root, "corpus", "a.md"), "# A\n\nText.\n");
  writeFileSync(join(root, "corpus", "b.bin"), Buffer.from([0, 1, 2]));
  await indexCorpus({ folder: layout.folder, paths: [join(root, "corpus")], embedder: { spec: "none" } });
  // A slow machine commits more than once.
  generation = (await readManifest(layout))?.manifest.generation ?? 1;
  for (const file of sealedFiles()) sealedFixtures.push(readFileSync(file));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const sealedFiles = (): [string, string, string] => [
  layout.corpusFile,
  layout.manifestFile,
  itemsFileOf(layout, generation),
];

/** The file with the seal that its changed body would have: what is wrong shows only in the content. */
function resealed(bytes: Buffer): Buffer {
  const match = /^(\{"format":"[a-z]+\/[0-9]{1,6}","sha256":")[0-9a-f]{64}(","body":)([\s\S]*)\}\s*$/.exec(
    bytes.toString("utf8"),
  );
  if (match === null) return bytes;
  const [, before = "", between = "", body = ""] = match;
  return Buffer.from(`${before}${createHash("sha256").update(body).digest("hex")}${between}${body}}\n`);
}

async function readIndexFiles(input: Buffer, chance: Chance): Promise<void> {
  const files = sealedFiles();
  // The file that it was made of, where that can still be told.
  const named = ["corpus", "manifest", "items"].findIndex((name) => input.includes(`"format":"${name}/`));
  const at = named === -1 ? chance.below(files.length) : named;
  for (const [i, file] of files.entries()) writeFileSync(file, sealedFixtures[i] ?? "");
  writeFileSync(files[at] ?? "", chance.happens(0.8) ? resealed(input) : input);
  await readCorpusFile(layout);
  const found = await readManifest(layout);
  if (found === undefined) return;
  for (const item of await readItems(layout, found.manifest)) expect(typeof item.key).toBe("string");
}

async function readDataset(input: Buffer, chance: Chance): Promise<void> {
  const files = { "queries.jsonl": QUERIES, "corpus.jsonl": CORPUS, "qrels.tsv": QRELS };
  const changed = chance.of(["queries.jsonl", "corpus.jsonl", "qrels.tsv"]);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dataset, name), name === changed ? input : text);
  const { queries, documentText } = await loadDataset(dataset);
  for (const { gold } of queries.slice(0, 5)) for (const id of gold.keys()) await documentText(id);
  const source = corpusSource(join(dataset, "corpus.jsonl"));
  const counter = await loadTokenCounter();
  for await (const listed of source.list(signal)) {
    if ("item" in listed) checkOutcome(await source.read(listed.item, signal), counter);
  }
}

const METADATA = {
  date: "2026-05-14",
  modified: "2026-05-14T10:00:00.000Z",
  tags: ["a", "b"],
  number: 12,
  flag: true,
  text: "a, b",
};

const TARGETS: readonly FuzzTarget[] = [
  {
    name: "a project file",
    fixtures: CONFIG,
    structures: ["json"],
    blindShare: 0.2,
    async run(input) {
      writeFileSync(join(home, "winnow", "config.json"), USER_CONFIG[0] ?? "");
      writeFileSync(join(project, "winnow.json"), input);
      const { settings, origins } = await loadConfig(project, { XDG_CONFIG_HOME: home });
      expect(settings.baseUrl).toBe("http://127.0.0.1:1/v1");
      JSON.stringify(origins);
    },
  },
  {
    name: "a user file",
    fixtures: [...USER_CONFIG, ...CONFIG],
    structures: ["json"],
    blindShare: 0.2,
    async run(input) {
      writeFileSync(join(home, "winnow", "config.json"), input);
      writeFileSync(join(project, "winnow.json"), CONFIG[0] ?? "");
      JSON.stringify(await loadConfig(project, { XDG_CONFIG_HOME: home }));
    },
  },
  {
    name: "a configuration that is edited",
    fixtures: CONFIG,
    structures: ["json"],
    blindShare: 0.2,
    run(input) {
      const before = input.toString("utf8");
      const after = JSON.parse(editedJson(before, ["corpora", "new"], { folder: "x" }, "fuzz"));
      expect(after.corpora.new).toEqual({ folder: "x" });
      const was = before.trim() === "" ? {} : JSON.parse(before);
      // The comparison below walks the whole of it.
      if (nestsDeeper(was, 500)) return;
      delete after.corpora.new;
      if (was.corpora === undefined) delete after.corpora;
      else delete was.corpora.new;
      expect(after).toEqual(was);
    },
  },
  {
    name: "files of an index",
    get fixtures() {
      return sealedFixtures;
    },
    structures: ["json"],
    blindShare: 0.1,
    run: readIndexFiles,
  },
  { name: "a dataset", fixtures: [QUERIES, CORPUS, QRELS], structures: ["json-lines", "table"], run: readDataset },
  {
    name: "an evaluation",
    fixtures: [
      `${JSON.stringify(OUTCOME)}\n${JSON.stringify({ ...OUTCOME, query: "q2" })}\n`,
      JSON.stringify(EVALUATION),
    ],
    structures: ["json-lines"],
    blindShare: 0.2,
    async run(input, chance) {
      const isHeader = chance.happens(0.3);
      writeFileSync(join(evaluation, "evaluation.json"), isHeader ? input : JSON.stringify(EVALUATION));
      writeFileSync(join(evaluation, "results.jsonl"), isHeader ? `${JSON.stringify(OUTCOME)}\n` : input);
      JSON.stringify([...((await readEvaluation(evaluation))?.outcomes ?? [])]);
    },
  },
  {
    name: "a filter",
    fixtures: [
      "date>=2026-05",
      "tags contains a",
      "number in 1, 2,3",
      'text="a \\"b\\""',
      "flag!=true and number<12",
      "__proto__=1",
      "a b<=c",
    ],
    structures: ["text"],
    run(input) {
      const filter = parseFilter([input.toString("utf8")]);
      matchesFilter(filter, METADATA);
      expect(parseFilter([formatFilter(filter)])).toEqual(filter);
    },
  },
  {
    name: "a date or a range of lines",
    fixtures: ["2026-05-14", "2026", "2026-05-14T10:00:00Z", "10-40", "7", "1-"],
    structures: ["text"],
    run(input) {
      const text = input.toString("utf8");
      const range = parseDateRange(text);
      if (range !== undefined) expect(Number.isFinite(range.start) && range.start < range.end).toBe(true);
      try {
        const lines = parseLineRange(text);
        expect(lines.from).toBeLessThanOrEqual(lines.to);
      } finally {
        parseFilter([sinceFilter(text)]);
      }
    },
  },
  {
    name: "a grep pattern",
    fixtures: [
      "w[a-z]+s",
      "(?i)a(b|c){2,5}?$",
      "\\bfoo\\d+\\.\\p{Lu}",
      "^\\s*#.*(?:x|[^y-z]])",
      "a{1,1000}",
      "(?P<n>x)\\x{41}[[:alpha:]]",
    ],
    structures: ["text"],
    async run(input) {
      const pattern = input.toString("utf8");
      portablePattern(pattern, "rust");
      const match = await compileRe2(pattern, false);
      let matches = 0;
      match("Walrus in hall nine\n# foo12.A aabbcc\n".repeat(50), () => ++matches < 1_000);
    },
  },
];

describe("configuration, index files, datasets, filters and patterns", () => {
  fuzzTests(TARGETS);
});
