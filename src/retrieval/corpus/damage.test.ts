import { cp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seededRandom } from "../../core/clock.ts";
import { WinnowError } from "../../core/errors.ts";
import { type CorpusFixture, corpusFixture, putText } from "../../testing/corpus-fixture.ts";
import { openCorpus } from "./open-corpus.ts";

const SCALE = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

let fixture: CorpusFixture;
let folder: string;
beforeEach(async () => {
  fixture = await corpusFixture();
  folder = fixture.folder;
});
afterEach(() => fixture.remove());

const TEXTS = { "a.txt": "one alpha\ntwo\nthree\nfour beta\n", "b.txt": "beta only", "c.txt": "gamma\n".repeat(10) };

describe("damage", () => {
  /** What a user would do with a corpus; resolves with the codes of all failures. */
  async function use(): Promise<Set<string>> {
    const codes = new Set<string>();
    const attempt = async (work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        if (!WinnowError.isInstance(error)) throw error;
        expect(error.message).not.toMatch(/cargo|rustc|\.rs\b/);
        if (error.code === "corpus_corrupt") expect(error.hint).toMatch(/winnow index/);
        codes.add(error.code);
      }
    };
    await attempt(async () => {
      const corpus = await openCorpus(folder);
      await attempt(() => corpus.find({ text: "alpha beta gamma", mode: "lexical", chunksMax: 100 }));
      await attempt(() => corpus.read({ documentId: "a.txt" }));
      await attempt(() => corpus.grep({ pattern: "beta|gamma", chunksMax: 10 }));
      await attempt(() => corpus.items());
      await corpus.close();
    });
    return codes;
  }

  test("no index, and one that was never finished", async () => {
    await expect(openCorpus(folder)).rejects.toMatchObject({ code: "corpus_not_found" });
    await (await fixture.open()).close();
    await expect(stat(folder)).rejects.toMatchObject({ code: "ENOENT" });
    await fixture.build(TEXTS);
    await rm(join(folder, "manifest.json"));
    await expect(openCorpus(folder)).rejects.toMatchObject({
      code: "corpus_not_found",
      hint: expect.stringContaining("index"),
    });
    await fixture.build({ "z.txt": "zeta" });
    expect(await fixture.found("zeta alpha")).toEqual(["z.txt"]);
  });

  test("every kind of file missing, cut or overwritten gives a clear error, and a rebuild repairs it", async () => {
    await fixture.build(TEXTS);
    const pristine = join(fixture.base, "pristine");
    await cp(folder, pristine, { recursive: true });
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const random = seededRandom(11);
    const damages: readonly [string, (path: string) => Promise<void>][] = [
      ["missing", (path) => rm(path)],
      ["cut", async (path) => truncate(path, Math.floor((await stat(path)).size / 2))],
      ["empty", (path) => truncate(path, 0)],
      [
        "random",
        async (path) => {
          const { size } = await stat(path);
          await writeFile(
            path,
            Uint8Array.from({ length: size }, () => Math.floor(random() * 256)),
          );
        },
      ],
    ];
    const noticed = new Map<string, Set<string>>();
    for (const path of files) {
      const kind = path.slice(folder.length + 1).replace(/[0-9a-f-]{12,}/g, "*");
      // Each file in one way, with a larger scale in every way.
      const chosen = SCALE > 1 ? damages : [damages[Math.floor(random() * damages.length)] ?? damages[0]];
      for (const [damage, inflict] of chosen.filter((each) => each !== undefined)) {
        await rm(folder, { recursive: true });
        await cp(pristine, folder, { recursive: true });
        await inflict(path);
        const codes = await use();
        for (const code of codes) {
          expect(["corpus_corrupt", "corpus_format", "corpus_not_found"], `${damage} ${kind}`).toContain(code);
          noticed.set(kind, (noticed.get(kind) ?? new Set()).add(code));
        }
      }
    }
    // Files of ours are sealed: no damage to them goes unnoticed.
    for (const name of ["corpus.json", "manifest.json", "manifest/2.json", "grep/1/docs.idx"]) {
      expect([...noticed.keys()]).toContain(name);
    }
    expect([...noticed.keys()].some((name) => name.startsWith("lance/") && name.includes("/data/"))).toBe(true);
    await rm(join(folder, "lance"), { recursive: true });
    await writeFile(join(folder, "manifest.json"), "{}");
    const writer = await fixture.open({ rebuild: true });
    await putText(writer, "a.txt", "alpha again");
    await writer.finish(0);
    await writer.close();
    expect(await fixture.found("alpha gamma")).toEqual(["a.txt"]);
    expect(await use()).toEqual(new Set());
  }, 60_000);

  test("a writer refuses a damaged manifest and another format, and says what to do", async () => {
    await fixture.build(TEXTS);
    const path = join(folder, "manifest.json");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.slice(0, -9));
    await expect(fixture.open()).rejects.toMatchObject({
      code: "corpus_corrupt",
      hint: expect.stringContaining("--rebuild"),
    });
    for (const version of [0, 2]) {
      await writeFile(path, text.replace("manifest/1", `manifest/${version}`));
      await expect(fixture.open()).rejects.toMatchObject({ code: "corpus_format" });
      await expect(openCorpus(folder)).rejects.toMatchObject({ code: "corpus_format" });
    }
    await writeFile(path, text);
    expect(await fixture.found("alpha")).toEqual(["a.txt"]);
  });

  test("a damaged grep export is written again by the next writer", async () => {
    await fixture.build(TEXTS);
    await truncate(join(folder, "grep", "1", "docs.idx"), 20);
    expect(await use()).toEqual(new Set(["corpus_corrupt"]));
    const writer = await fixture.open();
    await writer.finish(0);
    await writer.close();
    expect(await use()).toEqual(new Set());
    const corpus = await openCorpus(folder);
    expect((await corpus.grep({ pattern: "gamma", chunksMax: 9 })).matchesTotal).toBe(10);
    await corpus.close();
  });
});
