import { beforeAll, describe, expect } from "vitest";
import type { TokenCounter } from "../../../src/core/token-counter.ts";
import { loadTokenCounter } from "../../../src/models/o200k-token-counter.ts";
import { createChangelogSource } from "../../../src/sources/changelog/changelog-source.ts";
import { createClaudeSessionsSource } from "../../../src/sources/claude-sessions/claude-sessions-source.ts";
import { createFilesSource } from "../../../src/sources/files/files-source.ts";
import type { Listed, Source } from "../../../src/sources/source.ts";
import { createToolTracesSource } from "../../../src/sources/tool-traces/tool-traces-source.ts";
import { harbourTranscript } from "../../../src/testing/claude-transcript.ts";
import { checkOutcome } from "../../../src/testing/fuzz/check-documents.ts";
import type { FuzzTarget } from "../../../src/testing/fuzz/fuzz.ts";
import { memoryFileSystem } from "../../../src/testing/fuzz/memory-files.ts";
import type { Structure } from "../../../src/testing/fuzz/mutate.ts";
import { fuzzTests } from "../../support/fuzz-tests.ts";
import { FILE_FIXTURES } from "./file-fixtures.ts";

const BASE = "/corpus";
const GOOD = "# Good\n\nThe lighthouse stands.\n";
/** Of what shares its reading with another target. */
const SHARE = 0.3;
const signal = new AbortController().signal;

let counter: TokenCounter;
beforeAll(async () => {
  counter = await loadTokenCounter();
});

type MakeSource = (options: Parameters<typeof createFilesSource>[0]) => Source;

/** Lists and reads a folder with one damaged file and one good one, through to the rows of the store. */
async function readFolder(make: MakeSource, files: ReadonlyMap<string, Buffer>): Promise<Map<string, number>> {
  const source = make({ roots: [BASE], base: BASE, fileSystem: memoryFileSystem(files) });
  const chunks = new Map<string, number>();
  const listing: Listed[] = [];
  for await (const listed of source.list(signal)) listing.push(listed);
  for (const listed of listing) {
    if (!("item" in listed)) continue;
    const outcome = await source.read(listed.item, signal);
    chunks.set(listed.item.key, checkOutcome(outcome, counter).length);
    const hash = await source.hash(listed.item, signal);
    if ("hash" in outcome) expect(hash).toBe(outcome.hash);
  }
  return chunks;
}

function folderTarget(
  name: string,
  file: string,
  fixtures: FuzzTarget["fixtures"],
  structures: readonly Structure[],
  make: MakeSource = createFilesSource,
  good: readonly [name: string, text: string, isListed?: boolean] = ["good.md", GOOD],
): FuzzTarget {
  const [goodName, goodText, isListed = true] = good;
  return {
    name,
    fixtures,
    structures,
    async run(input) {
      const files = new Map([
        [`${BASE}/${file}`, input],
        [`${BASE}/${goodName}`, Buffer.from(goodText)],
      ]);
      const before = Buffer.from(input);
      const chunks = await readFolder(make, files);
      // What is wrong with one file is nothing to the other, and reading changes neither.
      if (isListed && chunks.get(goodName) !== 1) throw new Error("The good file beside it was not read.");
      const isSame = before.equals(input) && files.get(`${BASE}/${goodName}`)?.toString() === goodText;
      if (!isSame) throw new Error("A file changed.");
    },
  };
}

const transcript = harbourTranscript();
const transcripts = [transcript.text, `${transcript.lines.slice(1, 4).join("\n")}\n`];
const goodTranscript: readonly [string, string] = ["good.jsonl", `${transcript.lines.slice(1, 2).join("\n")}\n`];
const goodTrace: readonly [string, string] = ["good.jsonl", `${transcript.lines.slice(3, 5).join("\n")}\n`];

const TARGETS: readonly FuzzTarget[] = [
  folderTarget("a markdown file", "a.md", FILE_FIXTURES.markdown, ["markdown", "yaml", "html", "markdown"]),
  folderTarget("a text file", "a.txt", FILE_FIXTURES.text, ["text"]),
  folderTarget("an html file", "a.html", FILE_FIXTURES.html, ["html"]),
  folderTarget("a json file", "a.json", FILE_FIXTURES.json, ["json"]),
  folderTarget("a jsonl file", "a.jsonl", FILE_FIXTURES["json-lines"], ["json-lines"]),
  folderTarget("a csv file", "a.csv", FILE_FIXTURES.csv, ["table"]),
  folderTarget("a tsv file", "a.tsv", FILE_FIXTURES.tsv, ["table"]),
  folderTarget("a code file", "a.ts", FILE_FIXTURES.code, ["text"]),
  {
    ...folderTarget("an ignore file", ".gitignore", FILE_FIXTURES.ignore, ["text"], createFilesSource, [
      "sub/good.md",
      GOOD,
      false,
    ]),
    share: SHARE,
  },
  folderTarget("a changelog", "CHANGELOG.md", FILE_FIXTURES.changelog, ["markdown"], createChangelogSource),
  folderTarget(
    "a transcript as sessions",
    "a.jsonl",
    transcripts,
    ["json-lines"],
    createClaudeSessionsSource,
    goodTranscript,
  ),
  {
    ...folderTarget(
      "a transcript as turns",
      "a.jsonl",
      transcripts,
      ["json-lines"],
      (options) => createClaudeSessionsSource({ ...options, unit: "turn" }),
      goodTranscript,
    ),
    share: SHARE,
  },
  {
    ...folderTarget(
      "a transcript as tool traces",
      "a.jsonl",
      transcripts,
      ["json-lines"],
      createToolTracesSource,
      goodTrace,
    ),
    share: SHARE,
  },
];

describe("files of every kind, through source, chunker and rows", () => {
  fuzzTests(TARGETS);
});
