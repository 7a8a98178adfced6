import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ChromaClient } from "chromadb";
import { afterAll, beforeAll, expect } from "vitest";
import { loadConfig } from "../../src/config/config.ts";
import { seededRandom } from "../../src/core/clock.ts";
import type { Notice } from "../../src/core/types.ts";
import { attachCollection, openAttachSession } from "../../src/features/attach-collections.ts";
import { embedderOf } from "../../src/features/attaching/attached-entry.ts";
import { openAttached } from "../../src/features/attaching/open-attached.ts";
import { refreshConfigured } from "../../src/features/refresh-configured.ts";
import type { ChromaWrite } from "../../src/retrieval/chroma/collection.ts";
import { connectChroma } from "../../src/retrieval/chroma/connection.ts";
import { type LocalServer, launchServer } from "../../src/retrieval/chroma/server/launch.ts";
import { ChromaPlaces } from "../../src/retrieval/chroma/shared-places.ts";
import { bundleChild } from "../support/bundle-child.ts";
import { chromaCommand, chromaPython, digest, realChroma, realPython } from "../support/chroma.ts";

const DIMENSION = 384;
const work = mkdtempSync(join(tmpdir(), "winnow-attach-chroma-"));
const data = join(work, "project", ".chroma");
const environment = {
  ...process.env,
  WINNOW_CHROMA: chromaCommand,
  XDG_CONFIG_HOME: join(work, "config"),
  XDG_CACHE_HOME: join(work, "cache"),
};

const random = seededRandom(9);
function unit(): number[] {
  const vector = Array.from({ length: DIMENSION }, () => random() - 0.5);
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}

/** Records of 100 files; ids and paths have what ids and paths have. */
const RECORDS: readonly ChromaWrite[] = Array.from({ length: 300 }, (_, at) => {
  const file = Math.floor(at / 3);
  return {
    id: `kit::docs__note #${file} 100%.md::000${at % 3}${at === 7 ? "\nodd\u0001" : ""}`,
    document: `[Note ${file}] ## Part ${at % 3}\n\ncommon word${at} "quoted" text of ${file}`,
    embedding: unit(),
    metadata: {
      source_path: `/home/u/kit/docs/note #${file}.md`,
      chunk_index: at % 3,
      fm_title: `Note ${file}`,
      year: 2000 + (file % 5),
    },
  };
});

const launch = (folder: string, name: string): Promise<LocalServer> =>
  launchServer({ executable: chromaCommand, folder, logFile: join(work, `${name}.log`), environment });

async function writing<T>(folder: string, change: (address: string) => Promise<T>): Promise<T> {
  const server = await launch(folder, "writer");
  try {
    return await change(server.address);
  } finally {
    await server.close();
  }
}

const attach = async (place: string, workingFolder: string, name?: string) => {
  mkdirSync(workingFolder, { recursive: true });
  const session = await openAttachSession({ place, access: {}, workingFolder, environment });
  try {
    const attached = await session.inspect({ collection: "docs", name, flags: { embedder: "minilm" } }, {});
    await session.write(attached);
    return { attached, summary: await session.index(attached, {}), notices: session.notices };
  } finally {
    await session.close();
  }
};

const open = async (workingFolder: string, name: string, vector: readonly number[]) => {
  const entry = (await loadConfig(workingFolder, environment)).settings.corpora[name];
  if (entry?.kind !== "chroma") throw new Error(`${name} is attached`);
  const embedQuery = async () => Float32Array.from(vector);
  expect(embedderOf(entry, DIMENSION)).toEqual({ name: "minilm", dimension: DIMENSION });
  return openAttached({ name, entry, places: new ChromaPlaces(), environment, embedQuery });
};

/** Record ids by nearness, exactly. Chroma's own search is approximate. */
function nearest(vector: readonly number[], records = RECORDS): readonly string[] {
  const dot = (record: ChromaWrite): number =>
    vector.reduce((sum, value, i) => sum + value * (record.embedding[i] ?? 0), 0);
  return [...records].sort((a, b) => dot(b) - dot(a)).map(({ id }) => id);
}

const codes = (notices: readonly Notice[]) => notices.map(({ code }) => code);

beforeAll(async () => {
  if (chromaCommand === "") return;
  mkdirSync(data, { recursive: true });
  await writing(data, async (address) => {
    const connection = await connectChroma({ address });
    const collection = await connection.createCollection({ name: "docs", space: "l2" });
    await collection.upsert(RECORDS);
    await connection.createCollection({ name: "empty", space: "cosine" });
  });
}, 120_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

realChroma.describe("a data directory", () => {
  realChroma.test("is named in what goes wrong there, and not the server that is started on it", async () => {
    const project = join(work, "names");
    mkdirSync(project, { recursive: true });
    const session = await openAttachSession({ place: data, access: {}, workingFolder: project, environment });
    try {
      await expect(session.inspect({ collection: "nosuch", flags: {} }, {})).rejects.toMatchObject({
        code: "corpus_not_found",
        message: `There is no collection nosuch at ${data}.`,
        hint: "It holds: docs, empty.",
      });
    } finally {
      await session.close();
    }
  });

  realChroma.test(
    "is attached with all that it holds; what is empty leaves no entry and fails no refresh",
    async () => {
      const project = join(work, "all");
      mkdirSync(project, { recursive: true });
      const session = await openAttachSession({ place: data, access: {}, workingFolder: project, environment });
      try {
        for (const { name } of await session.list()) {
          const attached = await session.inspect({ collection: name, flags: { embedder: "none" } }, {});
          await attachCollection(session, attached, { skipsEmpty: true });
        }
      } finally {
        await session.close();
      }
      const { settings } = await loadConfig(project, environment);
      expect(Object.keys(settings.corpora)).toEqual(["docs"]);
      expect(settings.mayRead[project]).toEqual([realpathSync(data)]);
      const scope = { workingFolder: project, named: [], known: settings.corpora };
      const refreshed = await refreshConfigured({ scope, names: Object.keys(settings.corpora), environment });
      expect(refreshed).toMatchObject([{ name: "docs", summary: { unchanged: 100 } }]);
    },
  );

  realChroma.test("is attached, found by words and by meaning, and not one byte of it changes", async () => {
    const before = digest(data);
    const project = join(work, "project");
    const { attached, summary } = await attach(".chroma", project);
    expect(attached.entry).toMatchObject({ documentKey: "source_path", orderKey: "chunk_index", titleKey: "fm_title" });
    expect(summary).toMatchObject({ documents: 100, chunks: 300, failed: 0 });
    expect(JSON.parse(readFileSync(join(project, "winnow.json"), "utf8"))).toMatchObject({
      corpora: { docs: { chroma: ".chroma" } },
    });
    const vector = unit();
    const corpus = await open(project, "docs", vector);
    const dense = await corpus.find({ text: "x", mode: "dense", chunksMax: 10 });
    const expected = new Set(
      nearest(vector)
        .slice(0, 10)
        .map((id) => RECORDS.find((record) => record.id === id)?.document),
    );
    const hit = dense.hits.filter(({ chunk }) => expected.has(chunk.text.trim())).length;
    expect(hit).toBeGreaterThanOrEqual(8);
    expect(dense.notices).toEqual([]);
    const odd = await corpus.find({ text: "word7", mode: "lexical", chunksMax: 5 });
    expect(odd.hits[0]?.chunk.text).toContain("word7 ");
    const chunks = await corpus.read({ documentId: "/home/u/kit/docs/note #2.md" });
    expect(chunks.map(({ index }) => index)).toEqual([0, 1, 2]);
    await corpus.close();
    expect(digest(data)).toEqual(before);
  });

  realChroma.test(
    "an unchanged one is refreshed without a server; a changed one is said to be, and refreshed",
    async () => {
      const project = join(work, "project");
      const scope = async () => ({
        workingFolder: project,
        named: [],
        known: (await loadConfig(project, environment)).settings.corpora,
      });
      await attach(".chroma", project);
      const without = { ...environment, WINNOW_CHROMA: undefined, PATH: "" };
      const [unchanged] = await refreshConfigured({ scope: await scope(), names: ["docs"], environment: without });
      expect(unchanged).toMatchObject({ summary: { unchanged: 100, added: 0 } });
      await writing(data, async (address) => {
        const collection = await (await connectChroma({ address })).collection("docs");
        const metadata = { source_path: "/home/u/kit/docs/new.md", chunk_index: 0, fm_title: "New" };
        await collection.upsert([{ id: "new", document: "a newcomer", embedding: unit(), metadata }]);
        await collection.delete(RECORDS.slice(0, 3).map(({ id }) => id));
      });
      const corpus = await open(project, "docs", unit());
      const stale = await corpus.find({ text: "word42", mode: "lexical", chunksMax: 2 });
      expect(codes(stale.notices)).toContain("stale_index");
      const [refreshed] = await refreshConfigured({ scope: await scope(), names: ["docs"], environment });
      expect(refreshed).toMatchObject({ summary: { added: 1, removed: 1, unchanged: 99 } });
      await corpus.close();
    },
  );

  realChroma.test("one that another process holds and writes is attached through the copy", async () => {
    const folder = join(work, "held");
    mkdirSync(folder);
    const holder = await launch(folder, "holder");
    try {
      const connection = await connectChroma({ address: holder.address });
      const collection = await connection.createCollection({ name: "docs", space: "l2" });
      await collection.upsert(RECORDS);
      const { summary } = await attach(folder, join(work, "held-project"));
      expect(summary).toMatchObject({ documents: 100, failed: 0 });
      expect(await collection.count()).toBe(300);
    } finally {
      await holder.close();
    }
  });

  realPython.test("one that the Python client wrote, and still holds open, is attached", async () => {
    const folder = join(work, "python");
    const script = join(work, "write.py");
    writeFileSync(
      script,
      `import sys, chromadb
collection = chromadb.PersistentClient(sys.argv[1]).create_collection("docs")
collection.add(ids=[f"r{i}" for i in range(40)], documents=[f"word{i} text" for i in range(40)],
  metadatas=[{"source_path": f"/f{i // 4}.md", "chunk_index": i % 4} for i in range(40)],
  embeddings=[[float(i == j) for j in range(384)] for i in range(40)])
print("written", flush=True)
sys.stdin.read()
`,
    );
    const writer: ChildProcess = spawn(chromaPython, [script, folder], { stdio: ["pipe", "pipe", "inherit"] });
    try {
      await new Promise((resolve) => writer.stdout?.once("data", resolve));
      const before = digest(folder);
      const { attached, summary } = await attach(folder, join(work, "python-project"));
      expect(attached.inspected.shape.embedder).toMatchObject({ value: "minilm", sure: true });
      expect(summary).toMatchObject({ documents: 10, chunks: 40 });
      expect(digest(folder)).toEqual(before);
    } finally {
      writer.stdin?.end();
    }
  });
});

realChroma.describe("a server", () => {
  realChroma.test("gives what the official client sees", async () => {
    await writing(data, async (address) => {
      const url = new URL(address);
      const official = new ChromaClient({ host: url.hostname, port: Number(url.port), ssl: false });
      const ours = await connectChroma({ address });
      const collections = await ours.collections();
      expect(collections.map(({ name }) => name)).toEqual(
        (await official.listCollections()).map(({ name }) => name).sort(),
      );
      const [theirs, own] = [await official.getCollection({ name: "docs" }), await ours.collection("docs")];
      expect(await own.count()).toBe(await theirs.count());
      const asked = await theirs.get({ limit: 50, offset: 10 });
      const got = await own.get({ limit: 50, offset: 10, include: ["documents", "metadatas"] });
      expect(got.map(({ id, document, metadata }) => [id, document, metadata])).toEqual(
        asked.ids.map((id, i) => [id, asked.documents[i], asked.metadatas[i]]),
      );
      const vector = unit();
      const nearestTheirs = await theirs.query({ queryEmbeddings: [vector], nResults: 5 });
      const nearestOurs = await own.query({ vector, limit: 5 });
      expect(nearestOurs.map(({ id }) => id)).toEqual(nearestTheirs.ids[0]);
    });
  });

  realChroma.test("a wrong tenant, a missing collection, an empty one, vectors of another length", async () => {
    await writing(data, async (address) => {
      await expect(connectChroma({ address, tenant: "nobody" })).rejects.toMatchObject({ code: "corpus_not_found" });
      const connection = await connectChroma({ address });
      await expect(connection.collection("dcos")).rejects.toMatchObject({ hint: expect.stringMatching(/docs/) });
      const collection = await connection.collection("docs");
      await expect(collection.query({ vector: [1, 2, 3], limit: 1 })).rejects.toMatchObject({
        message: expect.stringMatching(/dimension/),
      });
      const session = await openAttachSession({ place: address, access: {}, workingFolder: work, environment });
      const empty = await session.inspect({ collection: "empty", flags: {} }, {});
      expect(codes(empty.notices)).toContain("empty_collection");
      await expect(session.index(empty, {})).rejects.toMatchObject({ code: "nothing_to_index" });
      await session.close();
    });
  });

  realChroma.test("killed in the middle: words are still found, with a notice", async () => {
    const folder = join(work, "killed");
    mkdirSync(folder);
    const server = await launch(folder, "killed");
    const connection = await connectChroma({ address: server.address });
    await (await connection.createCollection({ name: "docs", space: "l2" })).upsert(RECORDS);
    const project = join(work, "killed-project");
    await attach(server.address, project);
    const corpus = await open(project, "docs", unit());
    const find = () => corpus.find({ text: "word42", mode: "hybrid", chunksMax: 5 });
    expect(codes((await find()).notices)).toEqual([]);
    await server.close();
    const without = await find();
    expect(without.hits.length).toBeGreaterThan(0);
    expect(codes(without.notices)).toContain("lexical_only");
    await corpus.close();
  });

  realChroma.test("one that we started ends with us, however we end", async () => {
    const child = await bundleChild(
      "chroma-orphan",
      `import { launchServer } from "./src/retrieval/chroma/server/launch.ts";
const [, , executable, folder, logFile] = process.argv;
const server = await launchServer({ executable, folder, logFile, environment: process.env });
console.log(server.address);
setInterval(() => undefined, 1000);`,
    );
    try {
      const folder = join(work, "orphan");
      mkdirSync(folder);
      const args = [child.script, chromaCommand, folder, join(work, "orphan.log")];
      const process_ = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
      const address = await new Promise<string>((resolve) =>
        process_.stdout.once("data", (text) => resolve(String(text).trim())),
      );
      expect((await fetch(`${address}/api/v2/heartbeat`)).ok).toBe(true);
      process_.kill("SIGKILL");
      let alive = true;
      for (let tries = 0; alive && tries < 100; tries++) {
        await delay(100);
        alive = await fetch(`${address}/api/v2/heartbeat`).then(
          () => true,
          () => false,
        );
      }
      expect(alive).toBe(false);
    } finally {
      await child.remove();
    }
  });
});
