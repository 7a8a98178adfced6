import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { WinnowError } from "../../../src/core/errors.ts";
import { corpusLayout } from "../../../src/retrieval/corpus/layout.ts";
import { readManifest } from "../../../src/retrieval/corpus/manifest.ts";
import { openCorpus } from "../../../src/retrieval/corpus/open-corpus.ts";
import type { CorpusReader } from "../../../src/retrieval/corpus-reader.ts";

/** Everything that a reader can see of a corpus whose documents hold words of their own, see `writeFiles`. */
export interface Observed {
  /** Texts by key. */
  readonly documents: ReadonlyMap<string, string>;
  /** What each word of their own finds, by word. */
  readonly found: ReadonlyMap<string, readonly string[]>;
  /** Chunks in which the pattern of those words matches. */
  readonly grepped: readonly string[];
}

const OWN_WORD = /own[0-9]+x[0-9]+/g;

/** Undefined where nothing was committed yet. Throws what a reader would meet, and where its parts do not agree. */
export async function observe(folder: string): Promise<Observed | undefined> {
  let corpus: CorpusReader & { items(): Promise<readonly { readonly key: string; readonly state: string }[]> };
  try {
    corpus = await openCorpus(folder);
  } catch (error) {
    if (WinnowError.isInstance(error) && error.code === "corpus_not_found") return undefined;
    throw error;
  }
  try {
    const indexed = (await corpus.items()).filter(({ state }) => state === "indexed");
    return await observeReader(
      corpus,
      indexed.map(({ key }) => key),
    );
  } finally {
    await corpus.close();
  }
}

/** As `observe`, through a corpus that is open. Without keys it looks at those that the pattern finds. */
export async function observeReader(corpus: CorpusReader, keys?: readonly string[]): Promise<Observed> {
  const answer = await corpus.grep({ pattern: "own[0-9]+x[0-9]+", chunksMax: 1_000 });
  const grepped = [...new Set(answer.hits.map(({ hit }) => hit.chunk.id))].sort();
  const named = keys ?? [...new Set(answer.hits.map(({ hit }) => hit.chunk.documentId))];
  const texts = await Promise.all(
    named.map(async (key) => [key, (await corpus.read({ documentId: key })).map(({ text }) => text).join("")] as const),
  );
  const documents = new Map(texts.sort(([a], [b]) => (a < b ? -1 : 1)));
  const words = [...documents.values()].flatMap((text) => text.match(OWN_WORD) ?? []);
  const found = await Promise.all(
    [...new Set(words)].sort().map(async (text) => {
      const { hits } = await corpus.find({ text, mode: "lexical", chunksMax: 20 });
      return [text, hits.map(({ chunk }) => chunk.id).sort()] as const;
    }),
  );
  return { documents, found: new Map(found), grepped };
}

/** What lies in a corpus folder and is part of nothing. Runs, evaluations and Lance's own folders are not looked into. */
export async function leftovers(folder: string): Promise<readonly string[]> {
  const layout = corpusLayout(folder);
  const manifest = (await readManifest(layout))?.manifest;
  if (manifest === undefined) return ["there is no manifest"];
  const stores = [layout.storeFolder, layout.sqliteFolder].map((path) => basename(path));
  const own = [layout.corpusFile, layout.manifestFile, layout.itemsFolder, layout.grepFolder, layout.ignoreFile];
  const others = [layout.runsFolder, layout.evaluationsFolder];
  const allowed = new Set([...own, ...others].map((path) => basename(path)).concat("attachment.json", "sums.json"));
  const extra = (await namesIn(folder)).filter((name) => !allowed.has(name) && !stores.includes(name));
  const segments = manifest.grep.map(({ segment }) => String(segment));
  const items = [`${manifest.generation}.json`];
  extra.push(...(await beside(layout.itemsFolder, items)), ...(await beside(layout.grepFolder, segments)));
  const { table } = manifest.store;
  extra.push(
    ...(await beside(layout.storeFolder, [`${table}.lance`])),
    ...(await beside(layout.sqliteFolder, [table])),
  );
  extra.push(...(await strayLance(join(layout.storeFolder, `${table}.lance`))));
  for (const name of await namesIn(join(layout.sqliteFolder, table))) {
    if (!/^([0-9]+\.db|version-[0-9]+\.json)$/.test(name)) extra.push(`sqlite/${table}/${name}`);
  }
  return extra.sort();
}

/** Data files and indexes of a Lance table that none of its versions names. */
async function strayLance(folder: string): Promise<readonly string[]> {
  const versions = await Promise.all(
    (await namesIn(join(folder, "_versions"))).map((name) => readFile(join(folder, "_versions", name), "latin1")),
  );
  const stray: string[] = [];
  for (const name of await namesIn(join(folder, "data"))) {
    if (!versions.some((text) => text.includes(name))) stray.push(`data/${name}`);
  }
  for (const name of await namesIn(join(folder, "_indices"))) {
    const id = Buffer.from(name.replaceAll("-", ""), "hex").toString("latin1");
    if (!versions.some((text) => text.includes(id))) stray.push(`_indices/${name}`);
  }
  return stray;
}

async function beside(folder: string, names: readonly string[]): Promise<string[]> {
  return (await namesIn(folder)).filter((name) => !names.includes(name)).map((name) => `${basename(folder)}/${name}`);
}

async function namesIn(folder: string): Promise<string[]> {
  const found = await stat(folder).catch(() => undefined);
  return found?.isDirectory() === true ? readdir(folder) : [];
}

/** Every file below a folder, relative to it. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
