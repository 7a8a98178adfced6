import { beforeAll, describe, expect, test } from "vitest";
import type { TokenCounter } from "../../../src/core/token-counter.ts";
import { loadTokenCounter } from "../../../src/models/o200k-token-counter.ts";
import { createFilesSource } from "../../../src/sources/files/files-source.ts";
import { checkOutcome } from "../../../src/testing/fuzz/check-documents.ts";
import { memoryFileSystem } from "../../../src/testing/fuzz/memory-files.ts";
import { GRAMMARS, type GrammarName } from "../../../src/testing/fuzz/pieces.ts";

/** Long enough that what is quadratic takes minutes, and what is linear does not. */
const UNITS = 60_000;
/** Processor time; what is linear takes a tenth of it. */
const CPU_MS_MAX = 2_500;

/** Files whose grammar's pieces are repeated: front matter has a limit of its own, so it is Markdown here. */
const KINDS: readonly (readonly [GrammarName, file: string, before: string, after: string])[] = [
  ["markdown", "a.md", "# Title\n\n", ""],
  ["yaml", "a.md", "---\n", "\n---\n# Title\n"],
  ["yaml", "a.yaml", "", ""],
  ["html", "a.html", "<body>", ""],
  ["html", "a.html", "<pre>", ""],
  ["table", "a.csv", "id,text\n", ""],
  ["text", "a.txt", "", ""],
  ["text", "a.ts", "", ""],
];

let counter: TokenCounter;
beforeAll(async () => {
  counter = await loadTokenCounter();
});

async function cpuMsOf(file: string, text: string): Promise<number> {
  const path = `/corpus/${file}`;
  const fileSystem = memoryFileSystem(new Map([[path, Buffer.from(text)]]));
  const source = createFilesSource({ roots: ["/corpus"], base: "/corpus", fileSystem });
  const item = { key: file, location: path, bytes: Buffer.byteLength(text), mtimeMs: 0 };
  const before = process.cpuUsage();
  checkOutcome(await source.read(item, new AbortController().signal), counter);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

describe.each(KINDS)("%s as %s after %j", (name, file, before, after) => {
  const { words, nests } = GRAMMARS[name];
  const units = [...words, ...nests.flatMap(([open, close]) => [open, `${open}x${close}`])];
  test.each([...new Set(units)].map((unit) => [unit] as const))(
    "%j again and again takes linear time",
    async (unit) => {
      const text = `${before}${unit.repeat(Math.ceil(UNITS / unit.length))}x${after}`;
      expect(await cpuMsOf(file, text)).toBeLessThan(CPU_MS_MAX);
    },
  );
});
