import { expect, test } from "vitest";
import { WinnowError } from "../../core/errors.ts";
import { memoryCorpus } from "../../testing/memory-corpus.ts";
import { lineChunks } from "../../testing/memory-source.ts";
import { openOrStandIn } from "./stand-in.ts";

test("what cannot be opened is empty and says why, is tried again later, and is itself once it can be", async () => {
  let [nowMs, tries, isUp] = [1_000, 0, false];
  const corpus = await openOrStandIn({
    ...{ name: "team", folder: "/state", now: () => nowMs },
    async open() {
      tries++;
      if (!isUp) throw new WinnowError("store_failed", `failure ${tries}`);
      return memoryCorpus(
        "team",
        lineChunks({ id: "a", uri: "a", title: "a", format: "text", text: "alpha", metadata: {} }),
      );
    },
  });
  const find = () => corpus.find({ text: "alpha", mode: "lexical", chunksMax: 5 });
  expect(await find()).toMatchObject({ hits: [], notices: [{ code: "left_out", message: "failure 1" }] });
  await expect(corpus.read({ documentId: "a" })).rejects.toMatchObject({ code: "document_not_found" });
  nowMs += 14_000;
  expect((await find()).notices[0]?.message).toBe("failure 1");
  expect(tries).toBe(1);
  nowMs += 2_000;
  const answers = await Promise.all([find(), find(), find()]);
  expect(answers.map(({ notices }) => notices[0]?.message)).toEqual(["failure 2", "failure 2", "failure 2"]);
  expect(tries).toBe(2);
  isUp = true;
  expect((await find()).hits).toEqual([]);
  nowMs += 16_000;
  expect((await find()).hits).toHaveLength(1);
  expect(await corpus.read({ documentId: "a" })).toHaveLength(1);
  await find();
  expect(tries).toBe(3);
  await corpus.close();
});
