import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChromaClient, type Metadata } from "chromadb";
import { afterAll, beforeAll, expect } from "vitest";
import { rulesPolicy } from "../../src/agent/policies/rules/rules.ts";
import { loadConfig } from "../../src/config/config.ts";
import { seededRandom } from "../../src/core/clock.ts";
import { type AttachOptions, openAttachSession } from "../../src/features/attach-collections.ts";
import { openAttached } from "../../src/features/attaching/open-attached.ts";
import { refreshConfigured } from "../../src/features/refresh-configured.ts";
import { searchCorpora } from "../../src/features/search-corpora.ts";
import { ChromaPlaces } from "../../src/retrieval/chroma/shared-places.ts";
import type { CorpusReader } from "../../src/retrieval/corpus-reader.ts";
import { chromaCommand, KillableServer, realChroma } from "../support/chroma.ts";
import { meddlingProxy } from "../support/meddling-proxy.ts";

const DIMENSION = 8;
const PORT = 18_241;
const work = mkdtempSync(join(tmpdir(), "winnow-chroma-faults-"));
const environment = {
  ...process.env,
  WINNOW_CHROMA: chromaCommand,
  XDG_CONFIG_HOME: join(work, "config"),
  XDG_CACHE_HOME: join(work, "cache"),
};
const server = new KillableServer(join(work, "data"), PORT);
const random = seededRandom(3);
const unit = (): number[] => {
  const vector = Array.from({ length: DIMENSION }, () => random() - 0.5);
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
};

interface Written {
  readonly id: string;
  readonly document?: string;
  readonly metadata?: Metadata;
}

const official = () => new ChromaClient({ host: "127.0.0.1", port: PORT, ssl: false });

/** Writes with the official client, which takes what other makers write: no text, no metadata. */
async function write(name: string, records: readonly Written[]): Promise<void> {
  const collection = await official().getOrCreateCollection({ name, embeddingFunction: null });
  for (const has of [0, 1, 2, 3]) {
    const part = records.filter((one) => (one.document ? 1 : 0) + (one.metadata ? 2 : 0) === has);
    if (part.length === 0) continue;
    await collection.upsert({
      ids: part.map(({ id }) => id),
      embeddings: part.map(unit),
      ...(has & 1 ? { documents: part.map(({ document = "" }) => document) } : {}),
      ...(has & 2 ? { metadatas: part.map(({ metadata = {} }) => metadata) } : {}),
    });
  }
}

const numbered = (count: number, from = 0): readonly Written[] =>
  Array.from({ length: count }, (_, at) => ({
    id: `r${String(from + at).padStart(6, "0")}`,
    document: `common word${from + at}`,
    metadata: { path: `/x/${Math.floor((from + at) / 5)}.md`, n: (from + at) % 5, timestamp: "2026-05-02T10:00:00Z" },
  }));

const session = (place: string, folder: string, options: Partial<AttachOptions> = {}) => {
  mkdirSync(join(work, folder), { recursive: true });
  return openAttachSession({ place, access: {}, workingFolder: join(work, folder), environment, ...options });
};

async function attach(place: string, collection: string, folder: string) {
  const open = await session(place, folder);
  try {
    const attached = await open.inspect({ collection, flags: { embedder: "openai-compatible:made" } }, {});
    await open.write(attached);
    return { attached, summary: await open.index(attached, {}) };
  } finally {
    await open.close();
  }
}

async function scope(folder: string) {
  const workingFolder = join(work, folder);
  return { workingFolder, named: [], known: (await loadConfig(workingFolder, environment)).settings.corpora };
}

async function open(folder: string, name: string): Promise<CorpusReader> {
  const entry = (await scope(folder)).known[name];
  if (entry?.kind !== "chroma") throw new Error(`${name} is attached`);
  const vector = Float32Array.from(unit());
  return openAttached({ name, entry, places: new ChromaPlaces(), environment, embedQuery: async () => vector });
}

async function search(corpus: CorpusReader, question: string) {
  const limits = { timeoutMs: 60_000 };
  const policy = async () => rulesPolicy();
  const run = await searchCorpora({ question, corpora: [corpus], policy, profile: "chat", limits });
  return run.result;
}

const messages = ({ notices }: { readonly notices: readonly { readonly message: string }[] }) =>
  notices.map(({ message }) => message).join("\n");

beforeAll(async () => {
  if (chromaCommand === "") return;
  mkdirSync(join(work, "data"));
  await server.start();
}, 60_000);
afterAll(async () => {
  await server.kill();
  rmSync(work, { recursive: true, force: true });
});

realChroma.describe("a wrong place", () => {
  realChroma.test(
    "a port with nobody, a server of another kind, a wrong tenant or database: each is told apart",
    async () => {
      await write("kept", numbered(10));
      await expect(session("http://127.0.0.1:18240", "wrong")).rejects.toMatchObject({
        code: "store_failed",
        message: expect.stringMatching(/ECONNREFUSED/),
      });
      const other = createServer((_, response) => response.end("<html>hello</html>"));
      await new Promise<void>((resolve) => other.listen(18_239, "127.0.0.1", resolve));
      await expect(session("http://127.0.0.1:18239", "wrong")).rejects.toMatchObject({
        message: expect.stringMatching(/not a Chroma server/),
      });
      await new Promise((resolve) => other.close(resolve));
      for (const access of [{ tenant: "nobody" }, { database: "nothing" }]) {
        await expect(session(server.address, "wrong", { access })).rejects.toMatchObject({
          code: "corpus_not_found",
          hint: expect.stringMatching(/--tenant and --database/),
        });
      }
      const opened = await session(`${server.address}/api/v2/`, "wrong");
      await expect(opened.inspect({ collection: "kpet", flags: {} }, {})).rejects.toMatchObject({
        code: "corpus_not_found",
        hint: expect.stringMatching(/kept/),
      });
      await opened.close();
    },
  );
});

realChroma.describe("odd records", () => {
  realChroma.test("no text, no metadata, mixed types, strange ids: the rest is found, and nothing fails", async () => {
    const ids = ["a b", "100%", "#/?&", "päth/ä", "x::0001", "\u001b[31m", "日本", '"q"', "'; --", "a\nb"];
    await write("odd", [
      ...ids.map((id, at) => ({ id, document: `lantern${at} beacon`, metadata: { path: `/o/${id}` } })),
      { id: "no-metadata", document: "lantern bare" },
      { id: "no-text", metadata: { path: "/o/no-text" } },
      { id: "nothing" },
      { id: "number", document: "lantern seven", metadata: { path: 7, flag: true, share: 0.5 } },
      { id: "long", document: "lantern long\n\n".repeat(3_000), metadata: { path: "/o/long" } },
    ]);
    const { attached, summary } = await attach(server.address, "odd", "odd");
    expect(attached.notices.map(({ code }) => code)).toContain("records_without_text");
    expect(summary).toMatchObject({ failed: 0, documents: ids.length + 3 });
    const corpus = await open("odd", "odd");
    for (const [at, id] of ids.entries()) {
      const { hits } = await corpus.find({ text: `lantern${at}`, mode: "lexical", chunksMax: 1 });
      expect(hits[0]?.chunk.text, JSON.stringify(id)).toMatch(`lantern${at} beacon`);
      const read = await corpus.read({ documentId: hits[0]?.chunk.documentId ?? "" });
      expect(read, JSON.stringify(id)).toHaveLength(1);
    }
    const dense = await corpus.find({ text: "x", mode: "dense", chunksMax: 20 });
    expect(dense.hits.length).toBeGreaterThanOrEqual(ids.length);
    const result = await search(corpus, "Which lantern is bare?");
    expect(result.stopReason).toBe("finished");
    expect(result.documents[0]?.id).toBe("no-metadata");
    await corpus.close();
  });
});

realChroma.describe("a collection that changes", () => {
  realChroma.test("between two pages of the scan: said, and whole after the next refresh", async () => {
    await write("moving", numbered(2_500));
    const proxy = await meddlingProxy(server.address);
    const collection = await official().getCollection({ name: "moving" });
    let pages = 0;
    proxy.before = async (path) => {
      if (!path.endsWith("/get")) return;
      pages++;
      // Every page moves: one record at the front goes, one at the end comes.
      const at = pages;
      await collection.delete({ ids: [`r${String(at).padStart(6, "0")}`] });
      await write("moving", numbered(1, 10_000 + at));
    };
    try {
      const { summary } = await attach(proxy.address, "moving", "moving");
      expect(summary.failed).toBe(0);
      expect(summary.notices.join("\n")).toMatch(/being written while it was read/);
      proxy.before = () => undefined;
      const [refreshed] = await refreshConfigured({ scope: await scope("moving"), names: ["moving"], environment });
      expect(refreshed?.error).toBeUndefined();
      const corpus = await open("moving", "moving");
      const find = async (word: string) =>
        (await corpus.find({ text: word, mode: "lexical", chunksMax: 1 })).hits.map(({ chunk }) => chunk.text.trim());
      expect(await find("word1")).toEqual([]);
      expect(await find(`word${10_000 + pages}`)).toEqual([`common word${10_000 + pages}`]);
      expect((await corpus.info()).chunks).toBe(await collection.count());
      await corpus.close();
    } finally {
      await proxy.close();
    }
  });

  realChroma.test("while it is searched: the run ends by itself, and what is gone is not made up", async () => {
    await write("busy", numbered(300));
    await attach(server.address, "busy", "busy");
    const collection = await official().getCollection({ name: "busy" });
    const corpus = await open("busy", "busy");
    let calls = 0;
    const busy: CorpusReader = Object.assign(Object.create(corpus), {
      name: corpus.name,
      info: () => corpus.info(),
      read: corpus.read.bind(corpus),
      grep: corpus.grep.bind(corpus),
      documents: corpus.documents.bind(corpus),
      find: async (query: Parameters<CorpusReader["find"]>[0]) => {
        calls++;
        await collection.delete({ ids: [`r${String(calls).padStart(6, "0")}`] });
        await write("busy", numbered(1, 20_000 + calls));
        return corpus.find(query);
      },
    });
    const result = await search(busy, "Which common record has word42?");
    expect(result.stopReason).toBe("finished");
    expect(result.documents.length).toBeGreaterThan(0);
    expect(calls).toBeGreaterThan(0);
    expect(messages(result)).toMatch(/has changed since|records that the index of its words lacks/);
    await corpus.close();
  });

  realChroma.test("one goes and one comes: told by the last record, or by the hit that went", async () => {
    await write("even", numbered(300));
    const { summary } = await attach(server.address, "even", "even");
    expect(summary.failed).toBe(0);
    const collection = await official().getCollection({ name: "even" });
    const told = async (word: string) => {
      const corpus = await open("even", "even");
      const answer = await corpus.find({ text: word, mode: "hybrid", chunksMax: 3 });
      await corpus.close();
      return messages(answer);
    };
    // Records that are written again keep their places, and the words have them all.
    await write("even", numbered(1, 42));
    expect(await told("word42")).toBe("");
    await collection.delete({ ids: ["r000042"] });
    await write("even", [{ id: "bare", metadata: { path: "/x/bare.md" } }]);
    expect(await told("word42")).toMatch(/no longer holds records that the index of its words has/);
    await collection.delete({ ids: ["r000043"] });
    await write("even", numbered(1, 30_000));
    expect(await told("word7")).toMatch(/holds records that the index of its words lacks/);
    const [refreshed] = await refreshConfigured({ scope: await scope("even"), names: ["even"], environment });
    expect(refreshed?.error).toBeUndefined();
    expect(await told("word7")).toBe("");
  });

  realChroma.test("deleted after it was attached: its words are found, and the list says so", async () => {
    await write("gone", numbered(50));
    await attach(server.address, "gone", "gone");
    await official().deleteCollection({ name: "gone" });
    const corpus = await open("gone", "gone");
    const result = await search(corpus, "Where is word42?");
    expect(result).toMatchObject({ stopReason: "finished", documents: [{ rank: 1 }] });
    expect(messages(result)).toMatch(/There is no collection gone/);
    await corpus.close();
    const [refreshed] = await refreshConfigured({ scope: await scope("gone"), names: ["gone"], environment });
    expect(refreshed?.error).toMatchObject({ code: "corpus_not_found" });
  });
});

realChroma.describe("a server that refuses", () => {
  realChroma.test(
    "another version is said; a used-up quota ends attaching, and of a run the dense half only",
    async () => {
      await write("metered", numbered(50));
      const proxy = await meddlingProxy(server.address);
      const quota = { status: 422, body: { error: "QuotaError", message: "Quota exceeded: 300 results per query" } };
      try {
        proxy.instead = (path) => (path.endsWith("/version") ? { status: 200, body: "2.0.0" } : undefined);
        const newer = await session(proxy.address, "metered");
        expect(messages(newer)).toMatch(/version 2\.0\.0; Winnow knows version 1/);
        await newer.close();
        proxy.instead = (path) => (path.endsWith("/get") ? quota : undefined);
        await expect(attach(proxy.address, "metered", "metered")).rejects.toMatchObject({ code: "limit_exceeded" });
        proxy.instead = () => undefined;
        await attach(proxy.address, "metered", "metered");
        for (const refusal of [quota, { status: 429, body: { message: "Too many requests" } }]) {
          proxy.instead = (path) => (path.endsWith("/query") ? refusal : undefined);
          const corpus = await open("metered", "metered");
          const result = await search(corpus, "Where is word42?");
          expect(result).toMatchObject({ stopReason: "finished", documents: [{ rank: 1 }] });
          expect(messages(result)).toMatch(/Only words were matched.*(Quota exceeded|Too many requests)/);
          await corpus.close();
        }
      } finally {
        await proxy.close();
      }
    },
  );
});

realChroma.describe("a server that is killed", () => {
  realChroma.test("in the middle of a run: it goes on with words; after a restart the next one asks both", async () => {
    await write("killed", numbered(300));
    await attach(server.address, "killed", "killed");
    const corpus = await open("killed", "killed");
    const killing: CorpusReader = {
      name: corpus.name,
      info: () => corpus.info(),
      read: (query) => corpus.read(query),
      grep: (query) => corpus.grep(query),
      documents: (query) => corpus.documents(query),
      close: () => corpus.close(),
      find: async (query) => {
        const answer = await corpus.find(query);
        await server.kill();
        return answer;
      },
    };
    try {
      const first = await search(killing, "Which common record has word42, and which has word7?");
      expect(first.stopReason).toBe("finished");
      expect(first.documents.length).toBeGreaterThan(0);
      const second = await search(corpus, "Where is word42?");
      expect(second.stopReason).toBe("finished");
      expect(messages(second)).toMatch(/Only words were matched.*cannot be reached/);
    } finally {
      await server.start();
    }
    const again = await open("killed", "killed");
    const third = await search(again, "Where is word42?");
    expect(messages(third)).not.toMatch(/Only words/);
    await Promise.all([corpus.close(), again.close()]);
  });

  realChroma.test("while its words are indexed: an error that can be tried again, and the rest follows", async () => {
    await write("cut", numbered(2_500));
    const proxy = await meddlingProxy(server.address);
    let pages = 0;
    proxy.before = async (path) => {
      if (!path.endsWith("/get")) return;
      pages++;
      // Past the sample and the scan, while texts are read.
      if (pages === 17) await server.kill();
    };
    try {
      await expect(attach(proxy.address, "cut", "cut")).rejects.toMatchObject({ code: "store_failed" });
      expect(pages).toBeGreaterThanOrEqual(17);
    } finally {
      await server.start();
    }
    const [refreshed] = await refreshConfigured({ scope: await scope("cut"), names: ["cut"], environment });
    expect(refreshed).toMatchObject({ summary: { documents: 500, failed: 0 } });
    await proxy.close();
  });
});

realChroma.describe("a directory that another process holds", () => {
  realChroma.test("is opened in place beside it, with a notice, and both still answer", async () => {
    await write("held", numbered(20));
    const opened = await session(join(work, "data"), "held", { access: { inPlace: true } });
    expect(messages(opened)).toMatch(/opened in place/);
    const attached = await opened.inspect({ collection: "held", flags: {} }, {});
    await opened.write(attached);
    expect(await opened.index(attached, {})).toMatchObject({ documents: 4, failed: 0 });
    await opened.close();
    expect(await (await official().getCollection({ name: "held" })).count()).toBe(20);
  });
});
