import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type CorpusFixture, corpusFixture, putText } from "../../testing/corpus-fixture.ts";
import { type PublishFixture, publishFixture } from "../../testing/publish-fixture.ts";
import { RETIRED_MS } from "./publish.ts";

const HOUR_MS = 3_600_000;
/** The full suite ends a publication at each of its requests, the quick one at some. */
const KILLS_ALL = Number(process.env["WINNOW_TEST_SCALE"] ?? 1) > 1;
const first = { a: "alpha beta", b: "beta gamma" };
const second = { ...first, c: "gamma delta" };

let made: CorpusFixture;
let it: PublishFixture;
beforeAll(async () => {
  made = await corpusFixture();
  await made.build(first);
});
afterAll(() => made.remove());
beforeEach(async () => {
  it = await publishFixture(made);
});
afterEach(() => it.remove());

const keys = () => [...it.server.objects.keys()].sort();
/** Ids of the documents that a reader of the address finds. */
async function found(text: string): Promise<string[]> {
  const corpus = await it.reader();
  try {
    return await it.index.found(text, corpus);
  } finally {
    await corpus.close();
  }
}
/** Makes the index anew, in files of their own. */
async function rebuild(texts: Readonly<Record<string, string>>): Promise<void> {
  const writer = await it.index.open({ rebuild: true });
  for (const [key, text] of Object.entries(texts)) await putText(writer, key, text);
  await writer.finish(0);
  await writer.close();
}
const requestsOf = async (work: () => Promise<unknown>): Promise<string[]> => {
  const before = it.server.requests.length;
  await work();
  return it.server.requests.slice(before).map(({ method, key }) => `${method} ${key.replace(/[0-9a-f-]{64,}/, "…")}`);
};
/** Everything that the manifest names is there, as it should be. */
function checkWhole(): void {
  for (const { key, bytes } of it.published().files) {
    expect(it.server.objects.get(`team/${key}`)?.body.length, key).toBe(bytes);
  }
}

describe("publishing", () => {
  test("sends every file once, the manifest last, and names no place of this machine", async () => {
    const outcome = await it.publish();
    expect(outcome.uploaded).toBe(outcome.files);
    checkWhole();
    expect(it.server.requests.at(-1)).toMatchObject({ method: "PUT", key: "team/manifest.json" });
    expect(it.server.objects.get("team/manifest.json")?.body.toString()).not.toContain(it.index.base);
    expect(it.published().manifest.generation).toBe(outcome.manifest.generation);
  });

  test("of what is there already is one request", async () => {
    await it.publish();
    expect(await requestsOf(() => it.publish())).toEqual(["GET team/manifest.json"]);
  });

  test("of an index that has grown sends what is new", async () => {
    const before = await it.publish();
    await it.index.build(second);
    const outcome = await it.publish();
    expect(outcome.manifest.generation).toBeGreaterThan(before.manifest.generation);
    expect(outcome.uploaded).toBeGreaterThan(0);
    expect(outcome.uploaded).toBeLessThan(outcome.files);
    checkWhole();
  });

  test("of an index that is built anew needs no other address", async () => {
    await it.publish();
    await rebuild(second);
    await it.publish();
    checkWhole();
    expect(await found("delta")).toEqual(["c"]);
  });

  test("asks a new place whether it heeds conditions", async () => {
    it.server.before = ({ method, key, headers }) =>
      method === "PUT" && headers["if-none-match"] !== undefined && key.includes("objects/")
        ? { status: 200 }
        : undefined;
    await expect(it.publish()).rejects.toMatchObject({
      code: "store_failed",
      message: expect.stringContaining("conditions"),
    });
    expect(keys()).toEqual([]);
  });

  test("refuses what is no finished index, and one in SQLite", async () => {
    await expect(it.publish({ folder: join(it.index.base, "none") })).rejects.toMatchObject({
      code: "corpus_not_found",
    });
    const other = await corpusFixture();
    try {
      const writer = await other.open({ identity: { ...other.identity, store: "sqlite" } });
      writer.setSources([{ type: "files", roots: [""], excluded: [] }]);
      await writer.commit();
      await writer.close();
      await expect(it.publish({ folder: other.folder })).rejects.toMatchObject({ code: "invalid_argument" });
    } finally {
      await other.remove();
    }
  });

  test("goes on with what an index holds that is written meanwhile", async () => {
    let isWritten = false;
    it.server.before = async ({ method, key }) => {
      if (method !== "PUT" || isWritten || !key.includes("objects/")) return undefined;
      isWritten = true;
      await rebuild(second);
      return undefined;
    };
    await it.publish();
    checkWhole();
    expect(await found("delta")).toEqual(["c"]);
  });

  test("says so where a file of the index is missing for good", async () => {
    await rm(join(it.index.folder, "lance"), { recursive: true });
    await expect(it.publish()).rejects.toMatchObject({ code: "corpus_corrupt" });
    expect(keys()).toEqual([]);
  });

  test("ends when it is cancelled, with what was published before", async () => {
    await it.publish();
    const before = it.published().id;
    await it.index.build(second);
    const abort = new AbortController();
    const cancelled = it.publish({ signal: abort.signal, onProgress: () => abort.abort() });
    await expect(cancelled).rejects.toMatchObject({ code: "cancelled" });
    expect(it.published().id).toBe(before);
  });
});

describe("two publishers", () => {
  test("of different indexes: the second is refused unless it says that it means it", async () => {
    await it.publish();
    const before = it.published().id;
    const other = await corpusFixture();
    try {
      await other.build({ z: "omega" });
      const refused = { code: "invalid_argument", message: expect.stringContaining("holds another index") };
      await expect(it.publish({ folder: other.folder })).rejects.toMatchObject(refused);
      expect(it.published().id).toBe(before);
      await it.publish({ folder: other.folder, replace: true });
      expect(await found("omega")).toEqual(["z"]);
      const elsewhere = { code: "invalid_argument", message: expect.stringContaining("from elsewhere") };
      await expect(it.publish()).rejects.toMatchObject(elsewhere);
    } finally {
      await other.remove();
    }
  });

  test.each([true, false])(
    "at the same time: one is refused, and what the other published stands (first: %s)",
    async (isFirst) => {
      if (!isFirst) {
        await it.publish();
        await it.index.build(second);
      }
      const other = await corpusFixture();
      try {
        await other.build({ z: "omega" });
        let came = false;
        it.server.before = async ({ method, key }) => {
          if (came || method !== "PUT" || key !== "team/manifest.json") return undefined;
          came = true;
          await it.publish({ folder: other.folder, replace: true });
          return undefined;
        };
        const refused = { code: "corpus_locked", message: expect.stringContaining("by another process meanwhile") };
        await expect(it.publish()).rejects.toMatchObject(refused);
        checkWhole();
        expect(await found("omega")).toEqual(["z"]);
        await it.publish({ replace: true });
        expect(await found("omega")).toEqual([]);
      } finally {
        await other.remove();
      }
    },
  );
});

describe("a publication that ends early", () => {
  test("at any request leaves what was there, and the next one goes on with what was sent", async () => {
    await it.publish();
    await it.index.build(second);
    const base = it.published().id;
    const snapshot = new Map(it.server.objects);
    const whole = (await requestsOf(() => it.publish())).length;
    expect(whole).toBeGreaterThan(5);
    const points = Array.from({ length: whole }, (_, i) => i).filter(
      (i) => KILLS_ALL || i % 7 === 1 || i === whole - 1,
    );
    for (const nth of points) {
      it.server.objects.clear();
      for (const [key, object] of snapshot) it.server.objects.set(key, object);
      await rm(join(it.index.folder, "published.json"));
      let left = nth;
      // From the nth request on nothing comes through, as after a kill.
      it.server.before = () => (left-- > 0 ? undefined : { status: 403 });
      await expect(it.publish({ replace: true }), String(nth)).rejects.toMatchObject({ code: "store_failed" });
      it.server.before = () => undefined;
      expect(it.published().id).toBe(base);
      checkWhole();
      const sent = it.server.objects.size - snapshot.size;
      const outcome = await it.publish({ replace: true });
      checkWhole();
      expect(outcome.uploaded + sent, String(nth)).toBeGreaterThanOrEqual(1);
      const uploads = new Set(it.published().files.map(({ key }) => key)).size;
      const known = [...snapshot.keys()].filter((key) =>
        it.published().files.some((file) => `team/${file.key}` === key),
      );
      expect(outcome.uploaded, `what was sent before request ${nth} is not sent again`).toBe(
        uploads - known.length - sent,
      );
    }
  });

  test("because the answer to its last request was lost is whole", async () => {
    let isLost = false;
    it.server.after = ({ method, key }) => {
      if (isLost || method !== "PUT" || key !== "team/manifest.json") return undefined;
      isLost = true;
      return { status: 500 };
    };
    await it.publish();
    expect(isLost).toBe(true);
    checkWhole();
    expect(await requestsOf(() => it.publish())).toEqual(["GET team/manifest.json"]);
  });
});

describe("old objects", () => {
  test("stay for readers of the state before, and go after that", async () => {
    await it.publish();
    const old = it.published().files.map(({ key }) => key);
    it.server.nowMs += HOUR_MS;
    await it.index.build(second);
    expect((await it.publish()).removed).toBe(0);
    const gone = [...new Set(old)].filter((key) => !it.published().files.some((file) => file.key === key));
    expect(gone.length).toBeGreaterThan(0);
    for (const key of gone) expect(it.server.objects.has(`team/${key}`)).toBe(true);
    it.server.nowMs += RETIRED_MS + 1_000;
    await it.index.build({ ...second, d: "delta" });
    expect((await it.publish()).removed).toBe(gone.length);
    for (const key of gone) expect(it.server.objects.has(`team/${key}`)).toBe(false);
    checkWhole();
  });

  test("of a publication that was interrupted go after a day, and nobody builds on them meanwhile", async () => {
    await it.publish();
    it.server.nowMs += 1_000;
    await it.index.build(second);
    // Sent, and never published.
    it.server.before = ({ method, key }) =>
      method === "PUT" && key.endsWith("manifest.json") ? { status: 403 } : undefined;
    await expect(it.publish()).rejects.toMatchObject({ code: "store_failed" });
    it.server.before = () => undefined;
    const orphans = keys().filter(
      (key) => key.includes("objects/") && !it.published().files.some((file) => key.endsWith(file.key)),
    );
    // Another index is published in between, so that whoever published it may delete them.
    it.server.nowMs += 1_000;
    const other = await corpusFixture();
    await other.build({ z: "omega" });
    await it.publish({ folder: other.folder, replace: true });
    await other.remove();
    it.server.nowMs += 1_000;
    await it.publish({ replace: true });
    const named = it.published().files.map(({ key }) => `team/${key}`);
    // The probe of conditions is empty, and nothing of an index.
    const sent = orphans.filter((key) => (it.server.objects.get(key)?.body.length ?? 0) > 0);
    expect(sent.filter((key) => named.includes(key))).toEqual([]);
    expect(named.some((key) => /-[0-9a-f]{16}$/.test(key))).toBe(true);
    checkWhole();
    it.server.nowMs += 25 * HOUR_MS;
    await it.index.build({ ...second, d: "delta" });
    await it.publish();
    expect(keys().filter((key) => sent.includes(key))).toEqual([]);
    checkWhole();
  });
});
