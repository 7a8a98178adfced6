import { readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type CorpusFixture, corpusFixture, putText } from "../../testing/corpus-fixture.ts";
import { type PublishFixture, publishFixture } from "../../testing/publish-fixture.ts";
import { openCorpus } from "../corpus/open-corpus.ts";
import { seal } from "../corpus/sealed-file.ts";
import type { CorpusReader } from "../corpus-reader.ts";

const first = { a: "alpha beta", b: "beta gamma" };
const second = { ...first, c: "gamma delta" };
const DAY_MS = 86_400_000;

let made: CorpusFixture;
let it: PublishFixture;
let open: CorpusReader[];
beforeAll(async () => {
  made = await corpusFixture();
  await made.build(first);
});
afterAll(() => made.remove());
beforeEach(async () => {
  it = await publishFixture(made);
  open = [];
  await it.publish();
});
afterEach(async () => {
  for (const corpus of open) await corpus.close();
  await it.remove();
});

async function reader(options: Parameters<PublishFixture["reader"]>[0] = {}): Promise<CorpusReader> {
  const corpus = await it.reader(options);
  open.push(corpus);
  return corpus;
}
const find = (corpus: CorpusReader, text: string) => corpus.find({ text, mode: "lexical", chunksMax: 10 });
/** Asks until the answer holds; looks at the address go on beside the calls. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 200) throw new Error("It never held.");
    await sleep(20);
  }
}
const requests = () => it.server.requests.map(({ method, key }) => `${method} ${key.slice("team/".length, 20)}`);
const mirrored = async () => (await it.mirror().sync()).folder;

describe("a published index", () => {
  test("answers as the index does that it was made of", async () => {
    const [there, here] = [await reader(), await openCorpus(it.index.folder, { name: "team" })];
    open.push(here);
    const places = (text: string, base: string) => text.replaceAll(`${base}/`, "");
    for (const text of ["alpha", "beta gamma", "nothing"]) {
      const [local, remote] = await Promise.all([find(here, text), find(there, text)]);
      expect(JSON.stringify(remote)).toBe(places(JSON.stringify(local), it.index.base));
    }
    const grep = { pattern: "a$", chunksMax: 10 };
    const [local, remote] = await Promise.all([here.grep(grep), there.grep(grep)]);
    expect(remote.matchesTotal).toBe(2);
    expect(JSON.stringify(remote)).toBe(places(JSON.stringify(local), it.index.base));
    expect((await there.read({ documentId: "b" }))[0]).toMatchObject({ text: "beta gamma", uri: "b" });
    expect((await there.documents({})).documents.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(await there.documentsOf?.("a")).toEqual(["a"]);
    const info = await there.info();
    expect(info).toMatchObject({ name: "team", location: "s3://bucket/team", documents: 2 });
    expect(info.base).toBeUndefined();
    expect(there.stale).toBeUndefined();
  });

  test("is fetched once: opened again it costs one request, and its queries none", async () => {
    await (await it.reader()).close();
    it.server.requests.length = 0;
    const corpus = await reader({ lookMs: 60_000 });
    await find(corpus, "alpha");
    await corpus.grep({ pattern: "alpha", chunksMax: 10 });
    expect(requests()).toEqual(["GET manifest.json"]);
  });

  test("that is published anew is read without reopening, and only what is new is fetched", async () => {
    const corpus = await reader();
    expect((await find(corpus, "delta")).hits).toEqual([]);
    await it.index.build(second);
    const { uploaded } = await it.publish();
    it.server.requests.length = 0;
    await until(async () => (await find(corpus, "delta")).hits.length === 1);
    expect(requests().filter((request) => request.startsWith("GET objects/"))).toHaveLength(uploaded);
    expect((await corpus.grep({ pattern: "delta", chunksMax: 10 })).matchesTotal).toBe(1);
    // What the state before needed is gone from this machine.
    const held = await readdir(join(await mirrored(), "manifest"));
    expect(held).toEqual([`${(await corpus.info()).generation}.json`]);
  });

  test("whose files hold something else than those of the same name is read in a place of its own", async () => {
    const corpus = await reader();
    const before = await mirrored();
    await rm(it.index.folder, { recursive: true });
    await it.index.build({ z: "omega", y: "beta" });
    await it.publish({ replace: true });
    await until(async () => (await find(corpus, "omega")).hits.length === 1);
    expect((await find(corpus, "alpha")).hits).toEqual([]);
    const after = await mirrored();
    expect(after).not.toBe(before);
    // Readers that have not moved yet find theirs for an hour.
    expect((await stat(before)).isDirectory()).toBe(true);
    const longAgo = new Date(Date.now() - DAY_MS);
    await utimes(join(after, "corpus.json"), longAgo, longAgo);
    await it.index.build({ z: "omega", x: "psi" });
    await it.publish();
    await mirrored();
    await expect(stat(before)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("is opened by many at once, and fetched by one of them", async () => {
    const files = it.published().files.length;
    it.server.requests.length = 0;
    const corpora = await Promise.all([reader(), reader(), reader(), reader()]);
    for (const corpus of corpora) expect((await find(corpus, "alpha")).hits).toHaveLength(1);
    expect(requests().filter((request) => request.startsWith("GET objects/"))).toHaveLength(files);
  });

  test("cannot be used behind its end", async () => {
    const corpus = await it.reader();
    await corpus.close();
    await expect(find(corpus, "alpha")).rejects.toMatchObject({ code: "internal" });
  });
});

describe("while the object store cannot be used", () => {
  const failures = [
    ["is down", { status: 503 }, "answered 503"],
    ["no longer knows the keys", { status: 403, body: "<Error><Code>ExpiredToken</Code></Error>" }, "ExpiredToken"],
    ["holds something else", { status: 200, body: "{}" }, "is damaged"],
    ["holds nothing any more", { status: 404 }, "Nothing is published"],
  ] as const;

  test.each(failures)("an open index goes on with what it has and says so: it %s", async (_, answer, message) => {
    const corpus = await reader();
    it.server.before = () => answer;
    await until(async () => (await find(corpus, "alpha")).notices.length > 0);
    const { hits, notices } = await find(corpus, "alpha");
    expect(hits).toHaveLength(1);
    expect(notices[0]).toMatchObject({ code: "stale_index", message: expect.stringContaining(message) });
    expect(notices[0]?.message).toContain("What is searched of team is generation");
    it.server.before = () => undefined;
    await until(async () => (await find(corpus, "alpha")).notices.length === 0);
  });

  test("what was fetched before is opened where it is down, and not where it refuses", async () => {
    await (await it.reader()).close();
    it.server.before = () => ({ status: 503 });
    const corpus = await reader();
    expect(await find(corpus, "alpha")).toMatchObject({
      hits: [{}],
      notices: [{ code: "stale_index", message: expect.stringContaining("answered 503") }],
    });
    for (const [, answer] of failures.slice(1)) {
      it.server.before = () => answer;
      await expect(it.reader()).rejects.toMatchObject({ name: "WinnowError", hint: expect.any(String) });
    }
    it.server.before = () => undefined;
    expect((await find(await reader(), "alpha")).notices).toEqual([]);
  });

  test("what was fetched before is opened where nothing ever answers", async () => {
    await (await it.reader()).close();
    it.server.before = () => new Promise(() => undefined);
    const { hits, notices } = await find(await reader({ lookMs: 60_000 }), "alpha");
    expect(hits).toHaveLength(1);
    expect(notices[0]?.message).toContain("did not answer within 1.5 s");
  });

  test("nothing is opened where nothing was fetched", async () => {
    it.server.before = () => ({ status: 503 });
    await expect(it.reader()).rejects.toMatchObject({ code: "store_failed", retryable: true });
    it.server.before = () => undefined;
    it.server.objects.delete("team/manifest.json");
    await expect(it.reader()).rejects.toMatchObject({
      code: "corpus_not_found",
      hint: expect.stringContaining("winnow copy"),
    });
  });

  test("a fetch that fails in the middle leaves the state before", async () => {
    const corpus = await reader();
    await it.index.build(second);
    await it.publish();
    it.server.before = ({ key }) => (key.includes("objects/") ? { status: 503 } : undefined);
    await until(async () => (await find(corpus, "alpha")).notices.length > 0);
    expect((await find(corpus, "delta")).hits).toEqual([]);
    it.server.before = () => undefined;
    await until(async () => (await find(corpus, "delta")).hits.length === 1);
  });

  test("a close does not wait for an answer", async () => {
    const corpus = await it.reader();
    it.server.before = () => new Promise(() => undefined);
    await find(corpus, "alpha");
    const start = performance.now();
    await corpus.close();
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});

describe("what was fetched", () => {
  test("is fetched again where it was damaged on this machine", async () => {
    const folder = await mirrored();
    const entries = await readdir(join(folder, "lance"), { recursive: true });
    const [data = ""] = entries.filter((name) => name.includes("/data/"));
    const path = join(folder, "lance", data);
    const sound = await readFile(path);
    await writeFile(path, Buffer.alloc(sound.length));
    const corpus = await reader();
    expect((await find(corpus, "alpha")).hits).toHaveLength(1);
    expect(await readFile(path)).toEqual(sound);
    await writeFile(join(folder, "grep", "1", "docs.idx"), "nothing");
    const again = await reader();
    expect((await again.grep({ pattern: "alpha", chunksMax: 1 })).matchesTotal).toBe(1);
  });

  test.each(["mirror.json", "1/manifest.json"])("needs %s, and is put right without it", async (name) => {
    await mirrored();
    await writeFile(join(it.mirror().folder, name), "{");
    expect((await find(await reader(), "alpha")).hits).toHaveLength(1);
  });

  test("is for its owner alone", async () => {
    await mirrored();
    if (process.platform === "win32") return;
    expect((await stat(it.mirror().folder)).mode & 0o777).toBe(0o700);
  });

  test("never leads out of the mirror, whatever the manifest says", async () => {
    const publication = it.published();
    const [file] = publication.files;
    const spoiled = ["../x", "lance/../../x", "lance/a/..", "/etc/x", "manifest/../1.json", "lance/a\\..\\x", "runs/x"];
    for (const path of spoiled) {
      const files = [...publication.files, { ...file, path }];
      const body = seal({ name: "published", version: 1 }, { ...publication, files });
      it.server.objects.set("team/manifest.json", { body: Buffer.from(body), modifiedMs: it.server.nowMs });
      await expect(it.mirror("fresh").sync(), path).rejects.toMatchObject({ code: "corpus_corrupt" });
    }
    const newer = seal({ name: "published", version: 2 }, publication);
    it.server.objects.set("team/manifest.json", { body: Buffer.from(newer), modifiedMs: it.server.nowMs });
    await expect(it.mirror("fresh").sync()).rejects.toMatchObject({ code: "corpus_format" });
  });

  test("has a limit, and makes room for others when nobody uses it", async () => {
    const bytes = it.published().files.reduce((sum, file) => sum + file.bytes, 0);
    const small = it.mirror("small", bytes - 1).sync();
    await expect(small).rejects.toMatchObject({
      code: "limit_exceeded",
      hint: expect.stringContaining("mirrorGigabytes"),
    });
    for (const name of ["used", "old"]) await it.mirror(name).sync();
    const longAgo = new Date(Date.now() - DAY_MS);
    await utimes(join(it.mirror("old").folder, "mirror.json"), longAgo, longAgo);
    await it.mirror("new", 2 * bytes).sync();
    expect((await readdir(join(it.index.base, "mirrors"))).sort()).toEqual(["new", "used"]);
  });

  test("is what the writer committed also where documents go", async () => {
    const corpus = await reader();
    const writer = await it.index.open();
    writer.removeItem("a");
    await putText(writer, "b", "omega");
    await writer.finish(0);
    await writer.close();
    await it.publish();
    await until(async () => (await find(corpus, "omega")).hits.length === 1);
    expect((await find(corpus, "alpha beta gamma")).hits).toEqual([]);
    expect((await corpus.documents({})).documents.map(({ id }) => id)).toEqual(["b"]);
  });
});
