// What a refresh costs in which nothing changed, as ratios to floors in the same run: `node scripts/bench.mjs refresh
// [FILES] [REPETITIONS]`. The first floor is reading the folders and asking for size and time of every file, nothing
// else; the second is the listing of the files source, which also knows ignore files, links and order. The last row is
// what a watch does that was told of one file.
import type { Stats } from "node:fs";
import { lstat, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { indexCorpus, lookAtCorpus } from "../src/features/index-corpus.ts";
import { createFilesSource } from "../src/sources/files/files-source.ts";

const FILES_PER_FOLDER = 100;
/** As many as the files source asks for at the same time. */
const LOOK_UPS_MAX = 64;
/** Made long before they are indexed, as most files are; fresh ones would be hashed once more. */
const MODIFIED = new Date("2026-01-05T12:00:00Z");

const [files = 10_000, repetitions = 15] = process.argv.slice(2).map(Number);

async function makeFiles(folder: string): Promise<void> {
  for (let i = 0; i < files; i += FILES_PER_FOLDER) {
    const part = join(folder, `part-${i / FILES_PER_FOLDER}`);
    await mkdir(part, { recursive: true });
    const count = Math.min(FILES_PER_FOLDER, files - i);
    await Promise.all(
      Array.from({ length: count }, async (_, j) => {
        const path = join(part, `note-${i + j}.md`);
        await writeFile(path, `# Note ${i + j}\n\nA small file that nobody has changed for long.\n`);
        await utimes(path, MODIFIED, MODIFIED);
      }),
    );
  }
}

async function listAndStat(folder: string): Promise<number> {
  let count = 0;
  const folders = [folder];
  for (let current = folders.pop(); current !== undefined; current = folders.pop()) {
    const entries = await readdir(current, { withFileTypes: true });
    for (const entry of entries) if (entry.isDirectory()) folders.push(join(current, entry.name));
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(current, entry.name));
    for (let i = 0; i < paths.length; i += LOOK_UPS_MAX) {
      const stats: readonly Stats[] = await Promise.all(paths.slice(i, i + LOOK_UPS_MAX).map((path) => lstat(path)));
      count += stats.filter(({ size, mtimeMs }) => size > 0 && mtimeMs === MODIFIED.getTime()).length;
    }
  }
  return count;
}

async function listSource(folder: string, base: string): Promise<number> {
  let count = 0;
  const source = createFilesSource({ roots: [folder], base });
  for await (const listed of source.list(new AbortController().signal)) if ("item" in listed) count++;
  return count;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const base = await mkdtemp(join(tmpdir(), "winnow-refresh-"));
try {
  const notes = join(base, "notes");
  const folder = join(base, ".winnow");
  await makeFiles(notes);
  await indexCorpus({ folder, paths: [notes], embedder: { spec: "none" } });
  const ways: Readonly<Record<string, () => Promise<number>>> = {
    "list and stat": () => listAndStat(notes),
    "files source, listing": () => listSource(notes, base),
    refresh: async () => (await indexCorpus({ folder, paths: [] })).unchanged,
    "refresh of one file": async () => {
      const look = { within: ["notes/part-0/note-0.md"], leave: "fresh" } as const;
      return files - 1 + (await lookAtCorpus({ folder, paths: [] }, {}, look)).unchanged;
    },
  };
  const times = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
  for (let i = 0; i <= repetitions; i++) {
    for (const [name, run] of Object.entries(ways)) {
      const start = performance.now();
      const count = await run();
      // The first round warms the file cache and the compiler.
      if (i > 0) times.get(name)?.push(performance.now() - start);
      if (count !== files) throw new Error(`${name} saw ${count} unchanged files of ${files}.`);
    }
  }
  const of = (name: string): number => median(times.get(name) ?? []);
  console.log(
    `${files} unchanged files, ${repetitions} repetitions\n\n| | median ms | times the floor |\n|---|---|---|`,
  );
  for (const name of times.keys()) {
    console.log(`| ${name} | ${of(name).toFixed(0)} | ${(of(name) / of("list and stat")).toFixed(2)} |`);
  }
  console.log(`\na refresh of one file takes ${(of("refresh of one file") / of("refresh")).toFixed(2)} of one of all`);
  console.log(`refresh is ${(of("refresh") / of("files source, listing")).toFixed(2)} times the listing it makes`);
} finally {
  await rm(base, { recursive: true, force: true });
}
