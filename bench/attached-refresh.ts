// What it costs to refresh an attached collection in which nothing changed, as a ratio to listing it: every page of ids
// and metadata, asked for by the same client in the same run. On a real server, which needs a chroma command (see
// `npm run chroma:up -- --install`). Then the same collection as a data directory, which is not opened at all.
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findChromaCommand } from "../scripts/chroma/find.mjs";
import { type ChromaEntry, chromaEntry } from "../src/config/corpora.ts";
import { indexAttached } from "../src/features/attaching/index-attached.ts";
import type { ChromaCollection } from "../src/retrieval/chroma/collection.ts";
import { connectChroma } from "../src/retrieval/chroma/connection.ts";
import { dataFiles } from "../src/retrieval/chroma/server/data-files.ts";
import { launchServer } from "../src/retrieval/chroma/server/launch.ts";
import { ChromaPlaces } from "../src/retrieval/chroma/shared-places.ts";

const [records = 24_000, repetitions = 9] = process.argv.slice(2).map(Number);
const RECORDS_PER_DOCUMENT = 5;
const PAGE_RECORDS = 1_000;
const WRITE_RECORDS = 1_000;
/** Short ones: a refresh asks for no vector. */
const DIMENSION = 8;
const NAME = "sections";

/** A section as collections of notes have it: sixteen keys, a few hundred bytes. */
function record(at: number) {
  const document = Math.floor(at / RECORDS_PER_DOCUMENT);
  const path = `notes/part-${document % 50}/note-${document}.md`;
  return {
    id: `kit::${path.replaceAll("/", "__")}::${String(at % RECORDS_PER_DOCUMENT).padStart(4, "0")}`,
    document: `[Note ${document}] Part ${at % RECORDS_PER_DOCUMENT}\n\nWhat was decided about item ${at}, and why.`,
    embedding: Array.from({ length: DIMENSION }, (_, i) => Math.sin(at * (i + 1))),
    metadata: {
      source_repo_slug: "kit",
      source_root: "/srv/code/kit",
      source_path: `/srv/code/kit/${path}`,
      source_relative_path: path,
      kind: "spec",
      chunk_index: at % RECORDS_PER_DOCUMENT,
      chunk_heading: `Part ${at % RECORDS_PER_DOCUMENT}`,
      has_frontmatter: true,
      ingested_at: "2026-06-14T05:30:00Z",
      fm_title: `Note ${document}`,
      fm_status: "Accepted",
      fm_tags: "notes, bench",
      fm_date_created: "2026-01-05",
      fm_date_modified: "2026-03-05",
      fm_semantic_version: "0.1.0.0",
      fm_type: "Specification",
    },
  };
}

async function fill(address: string): Promise<ChromaCollection> {
  const collection = await (await connectChroma({ address })).createCollection({ name: NAME, space: "l2" });
  for (let start = 0; start < records; start += WRITE_RECORDS) {
    await collection.upsert(
      Array.from({ length: Math.min(WRITE_RECORDS, records - start) }, (_, i) => record(start + i)),
    );
  }
  return collection;
}

async function list(collection: ChromaCollection): Promise<number> {
  let seen = 0;
  for (let offset = 0; ; offset += PAGE_RECORDS) {
    const page = await collection.get({ limit: PAGE_RECORDS, offset, include: ["metadatas"] });
    seen += page.length;
    if (page.length < PAGE_RECORDS) return seen;
  }
}

/** Documents found unchanged. */
async function refresh(entry: ChromaEntry): Promise<number> {
  const places = new ChromaPlaces({ keep: true });
  try {
    return (await indexAttached({ name: NAME, entry, places, environment })).unchanged;
  } finally {
    await places.closeAll();
  }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function measure(ways: Readonly<Record<string, readonly [run: () => Promise<number>, expected: number]>>) {
  const times = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
  for (let i = 0; i <= repetitions; i++) {
    for (const [name, [run, expected]] of Object.entries(ways)) {
      const start = performance.now();
      const count = await run();
      // The first round warms the server and the compiler.
      if (i > 0) times.get(name)?.push(performance.now() - start);
      if (count !== expected) throw new Error(`${name} saw ${count} of ${expected}.`);
    }
  }
  return new Map([...times].map(([name, own]) => [name, median(own)]));
}

const executable = findChromaCommand(process.cwd(), process.env);
if (executable === undefined) throw new Error("There is no chroma command: npm run chroma:up -- --install");
const environment = { ...process.env, WINNOW_CHROMA: executable };
const base = await mkdtemp(join(tmpdir(), "winnow-attached-refresh-"));
const data = join(base, "data");
await mkdir(data);
const server = await launchServer({ executable, folder: data, logFile: join(base, "log"), environment });
try {
  const collection = await fill(server.address);
  const written = { collection: NAME, role: "documents", documentKey: "source_path", orderKey: "chunk_index" } as const;
  const entryAt = (chroma: string, folder: string) =>
    chromaEntry(NAME, { ...written, chroma, embedder: "none" }, join(base, folder));
  const served = entryAt(server.address, "served");
  await refresh(served);
  const copy = join(base, "copy");
  await cp(data, copy, { recursive: true });
  const directory = entryAt(copy, "directory");
  await refresh(directory);
  const documents = Math.ceil(records / RECORDS_PER_DOCUMENT);
  const medians = await measure({
    "list ids and metadata, page by page": [() => list(collection), records],
    "refresh from the server": [() => refresh(served), documents],
    "refresh of the unchanged directory": [() => refresh(directory), documents],
    "its files, sizes and times": [async () => ((await dataFiles(copy)).length > 0 ? 1 : 0), 1],
  });
  const floor = medians.get("list ids and metadata, page by page") ?? Number.NaN;
  console.log(`${records} unchanged records in ${documents} documents, ${repetitions} repetitions\n`);
  console.log("| | median ms | times the listing |\n|---|---|---|");
  for (const [name, ms] of medians) console.log(`| ${name} | ${ms.toFixed(0)} | ${(ms / floor).toFixed(2)} |`);
} finally {
  await server.close();
  await rm(base, { recursive: true, force: true });
}
