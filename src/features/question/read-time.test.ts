import { describe, expect, test } from "vitest";
import { spanName } from "./calendar.ts";
import { readTime } from "./read-time.ts";

/** A Tuesday. */
const NOW = Date.UTC(2026, 7, 18, 10);
const day = (time: number | undefined) => (time === undefined ? "" : new Date(time).toISOString().slice(0, 10));
const read = async (question: string) => {
  const time = await readTime(question, NOW);
  return time === undefined ? undefined : `${day(time.start)}..${day(time.end)}`;
};

describe("a time that a question names", () => {
  test.each([
    ["What went out on 6 July?", "2026-07-06..2026-07-07"],
    ["what shipped July 6th", "2026-07-06..2026-07-07"],
    ["what was merged on 24 December", "2025-12-24..2025-12-25"],
    ["notes of 2026-07-06", "2026-07-06..2026-07-07"],
    ["July 6, 2025: who was on call?", "2025-07-06..2025-07-07"],
    ["the May check", "2026-05-01..2026-06-01"],
    ["what did we decide in march", "2026-03-01..2026-04-01"],
    ["What broke in May 2025?", "2025-05-01..2025-06-01"],
    ["october incidents", "2025-10-01..2025-11-01"],
    ["what changed mid-July", "2026-07-10..2026-07-21"],
    ["plans of early June", "2026-06-01..2026-06-11"],
    ["late March outage", "2026-03-21..2026-04-01"],
    ["the end of April 2024", "2024-04-21..2024-05-01"],
    ["early 2025 roadmap", "2025-01-01..2025-05-01"],
    ["what happened in 2025?", "2025-01-01..2026-01-01"],
    ["Q2 2026 numbers", "2026-04-01..2026-07-01"],
    ["what did we ship in Q4", "2025-10-01..2026-01-01"],
    ["the second quarter of 2025", "2025-04-01..2025-07-01"],
    ["last quarter", "2026-04-01..2026-07-01"],
    ["what failed last week", "2026-08-10..2026-08-17"],
    ["what changed this month", "2026-08-01..2026-09-01"],
    ["decisions of the last two weeks", "2026-08-05..2026-08-19"],
    ["errors of the past 3 days", "2026-08-16..2026-08-19"],
    ["what was released three months ago", "2026-05-01..2026-06-01"],
    ["two weeks ago", "2026-08-03..2026-08-10"],
    ["what did I do yesterday", "2026-08-17..2026-08-18"],
    ["what failed today?", "2026-08-18..2026-08-19"],
    ["What went wrong last Friday?", "2026-08-14..2026-08-15"],
    ["who deployed on Monday", "2026-08-17..2026-08-18"],
    ["everything since 3 July", "2026-07-03.."],
    ["before May 2026", "..2026-05-01"],
    ["after 1 June what changed", "2026-06-02.."],
    ["between 3 May and 9 June", "2026-05-03..2026-06-10"],
    ["from May to July", "2026-05-01..2026-08-01"],
    ["1-5 July", "2026-07-01..2026-07-06"],
    ["the log of 2026-05", "2026-05-01..2026-06-01"],
  ])("%s", async (question, span) => {
    expect(await read(question)).toBe(span);
  });
});

describe("words that only look like a time", () => {
  test.each([
    "how may 5 users share one account",
    "may I march through the list",
    "It may break",
    "the march of progress",
    "Long March 5 rocket",
    "Who is June Carter?",
    "what did April Smith write",
    "the August Wilson archive",
    "upgrade to version 2.10.2024",
    "is 1.5.2 newer than 1.4.12",
    "support for Windows 2000",
    "Visual Studio 2022 build error",
    "why does ES2015 output differ",
    "limit of 2000 requests",
    "split in 2048 chunks",
    "Q4_K_M quantisation of the model",
    "how good are Q4 weights",
    "retry in 5 minutes",
    "a timeout of 3 days",
    "day-to-day work",
    "the last release",
    "USA Today article",
    "Black Friday sale",
    "every Monday a job runs",
    "time zone of the second server",
    "port 2024 is in use",
    "sun and mon are abbreviations",
    "mar. is not read as a month",
    "the dec register",
    "issue 1999-12 in src/2024/07/notes",
    "the road to march on",
    "a may fly",
    "better to invest now than to wait",
    "what happens next week",
    "0% APR first 12 months on a new card",
    "a version appears each October",
    "which of the rules hold today?",
    "compile today's state",
    "month names in the parser",
    "compare May 2025 with June 2026",
    "",
  ])("%s", async (question) => {
    expect(await read(question)).toBeUndefined();
  });
});

test("the words that name it are told, and the span by days", async () => {
  const shown = async (question: string) => {
    const time = await readTime(question, NOW);
    return time && [time.text, spanName(time)];
  };
  expect(await shown("What went out on 6 July?")).toEqual(["6 July", "6 July 2026 (2026-07-06)"]);
  expect(await shown("the May check")).toEqual(["May", "May 2026 (2026-05-01 to 2026-05-31)"]);
  expect(await shown("in 2025")).toEqual(["in 2025", "2025 (2025-01-01 to 2025-12-31)"]);
  expect(await shown("last week")).toEqual([
    "last week",
    "10 August 2026 to 16 August 2026 (2026-08-10 to 2026-08-16)",
  ]);
  expect(await shown("since 3 July")).toEqual(["since 3 July", "since 3 July 2026 (from 2026-07-03)"]);
  expect(await shown("before May 2026")).toEqual(["before May 2026", "before 1 May 2026 (until 2026-04-30)"]);
});

test("a text of any length is read in little time", async () => {
  const start = performance.now();
  for (const piece of ["may ", "1-", "in 2025 ", "July ", "two ", "last ", "- ", "2026-07-"]) {
    await readTime(piece.repeat(100_000), NOW);
  }
  expect(performance.now() - start).toBeLessThan(5_000);
});
