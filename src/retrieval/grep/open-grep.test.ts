import { availableParallelism } from "node:os";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type CorpusFixture, corpusFixture } from "../../testing/corpus-fixture.ts";
import { openCorpus } from "../corpus/open-corpus.ts";

const SCANS = 40;
let fixture: CorpusFixture;
beforeEach(async () => {
  fixture = await corpusFixture();
});
afterEach(() => fixture.remove());

test("many scans at once start no more processes than there are cores, and who gives up waiting starts none", async () => {
  await fixture.build({ "a.txt": "one alpha\ntwo beta\n", "b.txt": "beta only" });
  const corpus = await openCorpus(fixture.folder);
  await corpus.grep({ pattern: "beta", chunksMax: 5 });
  let [most, isOver] = [0, false];
  const watch = (): void => {
    const processes = process.getActiveResourcesInfo().filter((name) => name === "ProcessWrap").length;
    most = Math.max(most, processes);
    if (!isOver) setImmediate(watch);
  };
  watch();
  const controller = new AbortController();
  const ended: string[] = [];
  const kept = Array.from({ length: SCANS }, () =>
    corpus.grep({ pattern: "beta", chunksMax: 5 }).then((answer) => {
      ended.push("answer");
      return answer;
    }),
  );
  const given = corpus.grep({ pattern: "beta", chunksMax: 5, signal: controller.signal }).catch((error: unknown) => {
    ended.push("gave up");
    return error;
  });
  await kept[0];
  controller.abort();
  expect(await given).toMatchObject({ code: "cancelled" });
  const answers = await Promise.all(kept);
  isOver = true;
  // It stood last and ended long before those that stood before it.
  expect(ended.indexOf("gave up")).toBeLessThan(SCANS - 1);
  expect(answers.map(({ matchesTotal }) => matchesTotal)).toEqual(answers.map(() => 2));
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(availableParallelism());
  await corpus.close();
});
