import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../config/config.ts";
import { WinnowError } from "../core/errors.ts";
import { ChromaPlaces } from "../retrieval/chroma/shared-places.ts";
import { MemoryCollection, memoryChroma } from "../testing/memory-chroma.ts";
import { type AttachChoice, type AttachOptions, attachCollection, openAttachSession } from "./attach-collections.ts";
import { corpusStatus } from "./corpus-status.ts";
import { findDocuments } from "./find-documents.ts";
import { locateCorpora, locateOwn, openCorpora } from "./open-corpora.ts";
import { refreshConfigured } from "./refresh-configured.ts";

let work: string;
let environment: Record<string, string>;
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), "winnow-attach-"));
  environment = { XDG_CONFIG_HOME: join(work, "config"), CHROMA_KEY: "secret-key" };
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

const docs = (count = 6) =>
  new MemoryCollection(
    { name: "my docs", dimension: 384, embeddingFunction: "default" },
    Array.from({ length: count }, (_, at) => ({
      id: `r${at}`,
      document: `lighthouse ${at}`,
      metadata: { path: `/x/${Math.floor(at / 2)}.md`, chunk_index: at % 2, title: "T" },
    })),
  );

async function session(collections: readonly MemoryCollection[], options: Partial<AttachOptions> = {}) {
  const places = new ChromaPlaces({ keep: true, open: async () => memoryChroma(collections) });
  return openAttachSession({
    place: "http://127.0.0.1:8000",
    access: {},
    workingFolder: work,
    environment,
    places,
    ...options,
  });
}

const choice = (collection: string, more: Partial<AttachChoice> = {}): AttachChoice => ({
  collection,
  flags: {},
  ...more,
});
const scope = async (named: readonly string[] = []) => ({
  workingFolder: work,
  named,
  known: (await loadConfig(work, environment)).settings.corpora,
});

describe("attaching", () => {
  test("writes what it found, indexes it, and it opens by its name", async () => {
    const open = await session([docs()]);
    expect(await open.list()).toEqual([{ name: "my docs", records: 6, dimension: 384 }]);
    const attached = await open.inspect(choice("my docs"), {});
    expect(attached).toMatchObject({ name: "my-docs", file: join(work, "winnow.json"), notices: [] });
    expect(existsSync(attached.file)).toBe(false);
    await open.write(attached);
    expect(JSON.parse(readFileSync(attached.file, "utf8"))).toEqual({
      corpora: {
        "my-docs": {
          chroma: "http://127.0.0.1:8000",
          collection: "my docs",
          role: "documents",
          documentKey: "path",
          orderKey: "chunk_index",
          titleKey: "title",
          uriKey: "path",
          embedder: "minilm",
        },
      },
    });
    expect(await open.index(attached, {})).toMatchObject({ documents: 3, chunks: 6 });
    await open.close();
    const corpora = await openCorpora(await scope(["my-docs"]));
    const found = await findDocuments(corpora, { text: "lighthouse", mode: "lexical", documentsMax: 5 });
    expect(found.documents.map(({ id, title }) => [id, title])).toContainEqual(["/x/1.md", "T"]);
    await Promise.all(corpora.map((corpus) => corpus.close()));
  });

  test("without an index of its own, a folder's attached collections are what is searched and refreshed", async () => {
    const open = await session([docs()]);
    const attached = await open.inspect(choice("my docs", { name: "mine" }), {});
    await open.write(attached);
    await expect(locateCorpora(await scope(["mine"]))).rejects.toMatchObject({
      hint: expect.stringMatching(/index mine/),
    });
    await open.index(attached, {});
    await open.close();
    const [place] = await locateCorpora(await scope());
    expect(place).toMatchObject({ name: "mine", attached: { collection: "my docs" } });
    if (place === undefined) throw new Error("it is located");
    expect(await corpusStatus(place)).toMatchObject({
      documents: 3,
      attached: { role: "documents", records: 6, embedder: "minilm", state: "unknown" },
    });
    await expect(locateOwn(await scope())).rejects.toMatchObject({ code: "invalid_argument" });
    const [refreshed] = await refreshConfigured({
      scope: await scope(),
      names: ["mine"],
      signal: AbortSignal.timeout(20_000),
    });
    expect(refreshed).toMatchObject({ name: "mine", error: { code: "store_failed" } });
  });

  test("a collection without texts is skipped and leaves no entry; the others are attached", async () => {
    const collections = [
      docs(),
      new MemoryCollection({ name: "aaa empty" }),
      new MemoryCollection({ name: "bbb textless" }, [{ id: "a", metadata: { path: "p" } }]),
    ];
    const open = await session(collections);
    const outcomes = [];
    for (const { name } of [...(await open.list())].reverse()) {
      const attached = await open.inspect(choice(name), {});
      outcomes.push(await attachCollection(open, attached, { skipsEmpty: true }));
    }
    expect(outcomes).toMatchObject([
      { granted: [], skipped: { message: "The collection bbb textless holds no record with a text." } },
      { granted: [], skipped: { message: "The collection aaa empty holds no record with a text." } },
      { summary: { documents: 3 }, granted: ["http://127.0.0.1:8000"] },
    ]);
    expect(Object.keys((await scope()).known)).toEqual(["my-docs"]);
    expect(readdirSync(join(work, ".winnow", "attached"))).toEqual(["my-docs"]);
    const empty = await open.inspect(choice("aaa empty"), {});
    await expect(attachCollection(open, empty, { skipsEmpty: false })).rejects.toMatchObject({
      code: "nothing_to_index",
    });
    expect(Object.keys((await scope()).known)).toEqual(["my-docs"]);
    await open.close();
  });

  test("what failed leaves no entry, and goes on when it is attached again", async () => {
    const collection = docs();
    const open = await session([collection]);
    const attached = await open.inspect(choice("my docs"), {});
    collection.before = (method) => {
      if (method === "get") throw new WinnowError("store_failed", "gone", { retryable: true });
    };
    await expect(attachCollection(open, attached, { skipsEmpty: true })).rejects.toMatchObject({ message: "gone" });
    expect(existsSync(join(work, "winnow.json"))).toBe(false);
    collection.before = () => undefined;
    expect(await attachCollection(open, attached, { skipsEmpty: true })).toMatchObject({ summary: { documents: 3 } });
    expect(Object.keys((await scope()).known)).toEqual(["my-docs"]);
    await open.close();
  });

  test("replicas that were listed by hand stay where a collection is attached again", async () => {
    const open = await session([docs()]);
    const first = await open.inspect(choice("my docs"), {});
    await open.write({ ...first, entry: { ...first.entry, replicas: ["http://127.0.0.1:8001"] } });
    await open.write(await open.inspect(choice("my docs"), (await scope()).known));
    expect((await scope()).known["my-docs"]).toMatchObject({ replicas: ["http://127.0.0.1:8001"] });
    await open.close();
  });

  test("another machine or a key goes into the user's file, and the key itself nowhere", async () => {
    for (const options of [
      { place: "https://chroma.example" },
      { place: "http://127.0.0.1:8000", access: { apiKeyEnv: "CHROMA_KEY" } },
    ]) {
      const open = await session([docs()], options);
      const attached = await open.inspect(choice("my docs"), {});
      expect(attached.file).toBe(join(work, "config", "winnow", "config.json"));
      await open.write(attached);
      await open.close();
      expect(readFileSync(attached.file, "utf8")).not.toContain("secret-key");
      expect((await scope()).known["my-docs"]).toMatchObject({ kind: "chroma", place: options.place });
    }
    expect(existsSync(join(work, "winnow.json"))).toBe(false);
  });

  test("a directory elsewhere that is opened in place goes there too: a project's file may not name it", async () => {
    const outside = join(tmpdir(), "somewhere", ".chroma");
    for (const [place, file] of [
      [outside, join(work, "config", "winnow", "config.json")],
      [".chroma", join(work, "winnow.json")],
      ["http://127.0.0.1:8000", join(work, "winnow.json")],
    ] as const) {
      const open = await session([docs()], { place, access: { inPlace: true } });
      const attached = await open.inspect(choice("my docs", { name: place === outside ? "outside" : "inside" }), {});
      expect(attached.file).toBe(file);
      await open.write(attached);
      await open.close();
    }
    expect((await scope()).known["outside"]).toMatchObject({ place: outside, inPlace: true });
    const real = realpathSync(mkdtempSync(join(tmpdir(), "winnow-real-")));
    symlinkSync(real, join(work, "lnk"));
    const open = await session([docs()], { place: "lnk", access: { inPlace: true } });
    await open.write(await open.inspect(choice("my docs", { name: "linked" }), {}));
    await open.close();
    rmSync(real, { recursive: true });
    expect((await scope()).known["linked"]).toMatchObject({ place: real, inPlace: true });
  });

  test("a directory within the project is named from there", async () => {
    writeFileSync(join(work, "winnow.json"), '{"policy":"rules"}');
    const open = await session([docs()], { place: "data/.chroma" });
    await open.write(await open.inspect(choice("my docs"), {}));
    await open.close();
    expect(JSON.parse(readFileSync(join(work, "winnow.json"), "utf8"))).toMatchObject({
      policy: "rules",
      corpora: { "my-docs": { chroma: "data/.chroma" } },
    });
  });

  test("what cannot be known is taken on the safe side and said, or asked", async () => {
    const odd = new MemoryCollection({ name: "odd", dimension: 384 }, [
      { id: "a", document: "x", metadata: { chunk_index: 0 } },
      { id: "b", document: null, metadata: { chunk_index: 0 } },
    ]);
    const open = await session([odd]);
    const silent = await open.inspect(choice("odd"), {});
    expect(silent.entry).toMatchObject({ embedder: "unknown", documentKey: "@id" });
    expect(silent.notices.map(({ code }) => code)).toEqual(["records_without_text", "shape_guessed", "shape_guessed"]);
    const asked: string[] = [];
    const ask = async ({ flag, suggestion }: { flag: string; suggestion: string }) => {
      asked.push(flag);
      return suggestion;
    };
    expect((await open.inspect(choice("odd", { ask }), {})).entry).toMatchObject({ embedder: "minilm" });
    expect(asked).toEqual(["documentKey", "embedder"]);
    const flags = { embedder: "none", documentKey: "chunk_index", role: "traces" } as const;
    expect(await open.inspect(choice("odd", { flags }), {})).toMatchObject({
      entry: { ...flags },
      notices: [{ code: "records_without_text" }],
    });
    await open.close();
  });

  test.each([
    [{ flags: { documentKey: "paht" } }, /paht.*path/],
    [{ flags: { embedder: "minlm" } }, /minlm.*minilm/],
    [{ flags: { embedder: "minilm" }, collection: "wide" }, /768 numbers/],
    [{ name: "a/b" }, /cannot name/],
    [{ name: "taken" }, /another corpus called taken/],
  ])("%j is refused", async (more, message) => {
    const wide = new MemoryCollection({ name: "wide", dimension: 768 }, [{ id: "a", document: "x" }]);
    const open = await session([docs(), wide]);
    const known = { taken: { kind: "folder", folder: "/elsewhere" } } as const;
    await expect(open.inspect({ ...choice("my docs"), ...more }, known)).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringMatching(message),
    });
    await expect(open.inspect(choice("none"), {})).rejects.toMatchObject({ code: "corpus_not_found" });
    await open.close();
  });
});
