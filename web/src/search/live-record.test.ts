import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseRecord } from "../../../src/record/parse-record.ts";
import { toRun } from "../model/load.ts";
import type { Message } from "./api.ts";
import { followRun, type Picture } from "./live-record.ts";

const path = new URL("../../../docs/evidence/sixty-turns.jsonl", import.meta.url);
const record = parseRecord(readFileSync(path, "utf8"), "sixty-turns");

async function* messagesOf(eventsMax: number): AsyncGenerator<Message> {
  yield { type: "header", header: record.header };
  yield { type: "delta", text: "thinking" };
  for (const event of record.events.slice(0, eventsMax)) yield { type: "event", event };
}

describe("a run that is followed", () => {
  test("ends as the run that its record gives, and grows on the way", async () => {
    let now = 0;
    const turns: number[] = [];
    const show = ({ run }: Picture): void => void turns.push(run?.turns.length ?? 0);
    const run = await followRun(messagesOf(record.events.length), show, () => (now += 40));
    expect(run).toEqual(toRun(record.header.runId, record));
    expect(turns).toEqual([...turns].sort((a, b) => a - b));
    expect(new Set(turns).size).toBeGreaterThan(10);
    // One picture in seven messages, not one for each.
    expect(turns.length).toBeLessThan(record.events.length / 3);
  });

  test("shows what a model is writing until it is a decision", async () => {
    const writing: string[] = [];
    await followRun(
      messagesOf(0),
      (picture) => writing.push(picture.writing),
      () => 0,
    );
    expect(writing.at(-1)).toBe("thinking");
    await followRun(messagesOf(record.events.length), (picture) => writing.push(picture.writing));
    expect(writing.at(-1)).toBe("");
  });

  test("that broke off is shown as far as it came", async () => {
    const run = await followRun(messagesOf(5), () => undefined);
    expect(run?.result).toBeUndefined();
    expect(run?.record.events).toHaveLength(5);
    expect(await followRun((async function* () {})(), () => undefined)).toBeUndefined();
  });
});
