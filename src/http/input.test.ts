import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { BODY_BYTES_MAX, checked, queryOf, readJsonBody } from "./input.ts";
import { recentQuery, searchBody } from "./requests.ts";

function sent(parts: readonly string[], type = "application/json"): IncomingMessage {
  const stream = Readable.from(parts.map((part) => Buffer.from(part)));
  return Object.assign(stream, { headers: { "content-type": type } }) as unknown as IncomingMessage;
}

describe("readJsonBody", () => {
  test("joins the parts", async () => {
    expect(await readJsonBody(sent(['{"query"', ':"ä"}'], "application/json; charset=utf-8"))).toEqual({ query: "ä" });
  });

  test.each([
    [sent(["{}"], "text/plain"), "unsupported_media"],
    [sent(["{}"], "application/x-www-form-urlencoded"), "unsupported_media"],
    [sent(["{"]), "invalid_argument"],
    [sent([]), "invalid_argument"],
    [sent(Array.from({ length: 11 }, () => "x".repeat(BODY_BYTES_MAX / 10))), "limit_exceeded"],
    [sent(Array.from({ length: 200 }, () => "x".repeat(BODY_BYTES_MAX / 10))), "limit_exceeded"],
  ])("refuses what it cannot use (%#)", async (request, code) => {
    await expect(readJsonBody(request)).rejects.toMatchObject({ code });
  });
});

describe("checked", () => {
  test("names what is wrong", () => {
    expect(checked(searchBody, { query: "a" }, "body")).toEqual({ query: "a" });
    expect(() => checked(searchBody, { query: "a", k: 99 }, "body")).toThrow(/body.*\(k\)/);
    expect(() => checked(searchBody, { query: "a", baseUrl: "x" }, "body")).toThrow(/baseUrl/);
  });
});

describe("queryOf", () => {
  test("keys that may stand several times are lists", () => {
    const given = queryOf("since=2026-05&corpora=a&corpora=b%2Fc&k=3", recentQuery);
    expect(checked(recentQuery, given, "query")).toEqual({ since: "2026-05", corpora: ["a", "b/c"], k: 3 });
  });

  test("a key given twice that is no list is refused, and unknown ones are", () => {
    expect(() => queryOf("since=1&since=2", recentQuery)).toThrow(/more than once/);
    expect(() => checked(recentQuery, queryOf("sinze=1", recentQuery), "query")).toThrow(/sinze/);
  });
});
