// A published index against the folder that it was made of: `node scripts/bench.mjs object-store [CHUNKS] [--queries N]`,
// over a real S3-compatible server on this machine (moto; see `npm run s3:up -- --install`). Documents have some 330 words
// of a Zipf vocabulary. Prints requests and bytes of publishing, of opening and of queries; latency as ratios to the
// folder, query by query in turn; the same for Lance when it opens its table on the object store itself, which is what
// the mirror stands in for; and what 1, 2 and 4 readers get done. Fails where a published index answers otherwise.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { seededRandom } from "../src/core/clock.ts";
import { parseObjectAddress } from "../src/core/object-address.ts";
import { openCorpus as openLibrary } from "../src/corpus.ts";
import { indexCorpus } from "../src/features/index-corpus.ts";
import { queryEmbedder } from "../src/features/indexing/embedders.ts";
import { publishCorpus } from "../src/features/publish-corpus.ts";
import { publishedMirror } from "../src/features/publishing/published-place.ts";
import { markdownTable } from "../src/features/report-table.ts";
import { corpusLayout } from "../src/retrieval/corpus/layout.ts";
import { readManifest } from "../src/retrieval/corpus/manifest.ts";
import { openCorpus } from "../src/retrieval/corpus/open-corpus.ts";
import type { CorpusReader, FindMode } from "../src/retrieval/corpus-reader.ts";
import { objectAccess } from "../src/retrieval/objects/access.ts";
import { ObjectStore } from "../src/retrieval/objects/object-store.ts";
import { sha256OfFile } from "../src/retrieval/published/index-files.ts";
import { openPublished } from "../src/retrieval/published/published-corpus.ts";
import { LanceReader } from "../src/retrieval/store/lance/lance-reader.ts";
import { loadLance } from "../src/retrieval/store/lance/load-lance.ts";
import { objectServerCommand, startObjectServer } from "../test/support/object-server.ts";
import { plainProxy } from "../test/support/plain-proxy.ts";

const VOCABULARY = 60_000;
const WORDS = 330;
const MODES: readonly FindMode[] = ["lexical", "dense", "hybrid"];
const ASKED = 10;
const READERS = [1, 2, 4];
const ROUNDS = 3;
const BUCKET = "winnow";
const TO = `s3://${BUCKET}/bench`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { queries: { type: "string", default: "30" }, reader: { type: "string" } },
});
const chunks = Number(positionals[0] ?? 4_000);
const queriesTotal = Number(values.queries);
const { signal } = new AbortController();
const random = seededRandom(17);
const draw = (words: number): string =>
  Array.from({ length: words }, () => `w${Math.floor(VOCABULARY ** random()).toString(36)}`).join(" ");
const queries = Array.from({ length: queriesTotal }, () => draw(5));
const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
const kilobytes = (bytes: number): string => (bytes / 1e3).toLocaleString("en-US", { maximumFractionDigits: 0 });

if (values.reader !== undefined) {
  await read(values.reader);
  process.exit();
}
const command = objectServerCommand(process.cwd());
if (command === undefined) throw new Error("There is no object store to measure: npm run s3:up -- --install");
const base = await mkdtemp(join(tmpdir(), "winnow-bench-s3-"));
const source = join(base, "source");
const folder = join(source, ".winnow");
const server = await startObjectServer(command);
await server.makeBucket(BUCKET);
const proxy = await plainProxy(server.address);
const environment = { ...server.environment, AWS_ENDPOINT_URL: proxy.address, XDG_CACHE_HOME: join(base, "cache") };
const scope = { workingFolder: source, known: {} };

/** Runs work, and prints what went over the network for it. */
async function counted<T>(what: string, work: () => Promise<T>): Promise<T> {
  const before = { ...proxy.counts };
  const start = performance.now();
  const result = await work();
  const ms = performance.now() - start;
  const { requests, sent, received } = proxy.counts;
  rows.push([
    what,
    String(requests - before.requests),
    kilobytes(sent - before.sent),
    kilobytes(received - before.received),
    ms.toFixed(0),
  ]);
  return result;
}
let rows: string[][] = [];
function printRows(first: string): void {
  console.log(`\n${markdownTable([[first, "requests", "kB sent", "kB received", "ms"], ...rows])}`);
  rows = [];
}

async function writeDocuments(): Promise<void> {
  await mkdir(source, { recursive: true });
  const lines = Array.from({ length: chunks }, (_, i) => `${JSON.stringify({ id: `r${i}`, text: draw(WORDS) })}\n`);
  await writeFile(join(source, "notes.jsonl"), lines.join(""));
}
const index = () => indexCorpus({ folder, paths: [source], signal });
const publish = () => publishCorpus({ from: ".", to: TO, scope, environment, signal });

/** Median milliseconds of each reader for one kind of query, all readers by turns. */
async function latencies(
  readers: Readonly<Record<string, (text: string) => Promise<unknown>>>,
): Promise<Record<string, number>> {
  const times: Record<string, number[]> = {};
  for (const [i, text] of [...queries.slice(0, 3), ...queries].entries()) {
    const inTurn = Object.entries(readers);
    // Whoever asks second may find something warm.
    for (const [name, ask] of i % 2 === 0 ? inTurn : inTurn.reverse()) {
      const start = performance.now();
      await ask(text);
      if (i >= 3) times[name] = [...(times[name] ?? []), performance.now() - start];
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, median(ms)]));
}

/** The table as it lies in the folder, at an address that Lance opens itself. */
async function openDirectly(): Promise<LanceReader> {
  const layout = corpusLayout(folder);
  const manifest = (await readManifest(layout))?.manifest;
  if (manifest === undefined) throw new Error("There is no index.");
  const to = `s3://${BUCKET}/direct`;
  const store = new ObjectStore({ address: parseObjectAddress(to), access: objectAccess(environment) });
  const files = await readdir(layout.storeFolder, { recursive: true, withFileTypes: true });
  for (const file of files.filter((entry) => entry.isFile())) {
    const path = join(file.parentPath, file.name);
    const content = { bytes: (await stat(path)).size, sha256: await sha256OfFile(path, signal) };
    await store.upload(path.slice(layout.storeFolder.length + 1), path, content);
  }
  const { connect } = await loadLance();
  return counted("Lance itself: open", async () => {
    const database = await connect(to, {
      storageOptions: {
        aws_endpoint: proxy.address,
        aws_access_key_id: "any",
        aws_secret_access_key: "any",
        aws_region: "us-east-1",
        allow_http: "true",
        aws_virtual_hosted_style_request: "false",
      },
    });
    const table = await database.openTable(manifest.store.table);
    await table.checkout(manifest.store.version);
    return new LanceReader(table, manifest.identity.embedder?.dimension);
  });
}

async function measurePublishing(): Promise<void> {
  const store = new ObjectStore({ address: parseObjectAddress(TO), access: objectAccess(environment) });
  const first = await counted("publish, nothing there", publish);
  console.log(`${first.chunks} chunks, ${first.files} files, ${kilobytes(first.bytes)} kB`);
  await counted("publish, unchanged", publish);
  await counted("list the objects", () => store.list(""));
  await writeFile(join(source, "one-more.md"), `# One more\n\n${draw(WORDS)}\n`);
  await index();
  await counted("publish, one document more", publish);
  printRows("publishing");
}

async function measureOpening(): Promise<CorpusReader> {
  const open = async () =>
    openPublished({
      name: "source",
      mirror: await publishedMirror({ address: TO }, environment),
      embedQuery,
      lookMs: 1e9,
    });
  const cold = await counted("open, nothing fetched before", open);
  await cold.close();
  const published = await counted("open, fetched before", open);
  await counted("open the folder", async () => (await openCorpus(folder)).close());
  printRows("opening");
  return published;
}

async function measureQueries(published: CorpusReader): Promise<void> {
  const local = await openCorpus(folder, { name: "source", embedQuery });
  const direct = await openDirectly();
  const vectors = new Map<string, Float32Array>();
  const embedder = (await readManifest(corpusLayout(folder)))?.manifest.identity.embedder;
  for (const text of queries) {
    if (embedder) vectors.set(text, await embedQuery(text, embedder, signal));
  }
  const askDirectly = async (text: string, mode: FindMode): Promise<unknown> => {
    const terms = text.split(" ");
    const lexical = () => direct.lexical({ terms, limit: 3 * ASKED });
    const dense = () => direct.dense({ vector: vectors.get(text) ?? new Float32Array(), limit: 3 * ASKED });
    if (mode === "hybrid") return Promise.all([lexical(), dense()]);
    return mode === "lexical" ? lexical() : dense();
  };
  const table = [["p50 ms (ratio to the folder)", "folder", "published", "Lance itself"]];
  for (const mode of MODES) {
    const ask = (corpus: CorpusReader) => (text: string) => corpus.find({ text, mode, chunksMax: ASKED });
    // Apart, since whoever asks behind a wait for the network finds the machine cold.
    const ms = {
      ...(await latencies({ folder: ask(local), published: ask(published) })),
      ...(await latencies({ direct: (text) => askDirectly(text, mode) })),
    };
    const of = (name: string) => `${ms[name]?.toFixed(1)} (${((ms[name] ?? 0) / (ms["folder"] ?? 1)).toFixed(2)})`;
    table.push([mode, ms["folder"]?.toFixed(1) ?? "", of("published"), of("direct")]);
    for (const [name, work] of [
      ["published", ask(published)],
      ["Lance itself", (text: string) => askDirectly(text, mode)],
    ] as const) {
      await counted(`${name}: ${mode} query`, () => work(queries[0] ?? ""));
    }
    for (const text of queries) {
      const [here, there] = await Promise.all([ask(local)(text), ask(published)(text)]);
      const ids = (hits: typeof here.hits) => hits.map(({ chunk }) => chunk.id).join();
      if (ids(here.hits) !== ids(there.hits)) throw new Error(`The published index answers otherwise: ${mode} ${text}`);
    }
  }
  printRows("one query, warm");
  console.log(`\n${markdownTable(table)}`);
  await local.close();
}

/** Queries per second of several processes at once, each with the corpus open. */
async function measureReaders(): Promise<void> {
  const rate = async (count: number, corpus: string): Promise<number> => {
    const env = { ...process.env, ...environment };
    const seconds = await Promise.all(
      Array.from(
        { length: count },
        () =>
          new Promise<number>((resolve, reject) => {
            const args = [process.argv[1] ?? "", "--reader", corpus, "--queries", String(queriesTotal)];
            const reader = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
            let said = "";
            reader.stdout.on("data", (data) => {
              said += data;
            });
            reader.on("close", (code) =>
              code === 0 ? resolve(Number(said)) : reject(new Error(`It ended with ${code}.`)),
            );
          }),
      ),
    );
    return (count * queries.length) / Math.max(...seconds);
  };
  const table = [["readers", "folder, queries/s", "published, queries/s", "ratio"]];
  for (const count of READERS) {
    let [local, there] = [0, 0];
    // What else the machine does only ever slows a round down.
    for (let round = 0; round < ROUNDS; round++) {
      local = Math.max(local, await rate(count, source));
      there = Math.max(there, await rate(count, TO));
    }
    table.push([String(count), local.toFixed(0), there.toFixed(0), (there / local).toFixed(2)]);
  }
  console.log(`\n${markdownTable(table)}`);
}

/** What one of several readers does: prints the seconds that its queries took. */
async function read(place: string): Promise<void> {
  const corpus = await openLibrary(place);
  for (const text of queries.slice(0, 3)) await corpus.find(text);
  const start = performance.now();
  for (const text of queries) await corpus.find(text);
  console.log((performance.now() - start) / 1_000);
  await corpus.close();
}

const embedQuery = queryEmbedder();
try {
  await writeDocuments();
  await index();
  await measurePublishing();
  await measureQueries(await measureOpening());
  await measureReaders();
} finally {
  await proxy.close();
  await server.stop();
  await rm(base, { recursive: true, force: true });
}
process.exit();
