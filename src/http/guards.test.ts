import { describe, expect, test } from "vitest";
import { callerOf, checkSite } from "./guards.ts";

const local = { isLocal: true, allowedHosts: [] };
const host = "127.0.0.1:8766";

describe("checkSite", () => {
  test.each([
    [{ host }],
    [{ host: "localhost:1" }],
    [{ host: "[::1]:8766" }],
    [{ host, origin: "http://127.0.0.1:8766" }],
    [{ host, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" }],
    [{ host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }],
  ])("lets %j through on this machine", (headers) => {
    expect(() => checkSite(headers, local)).not.toThrow();
  });

  test.each([
    [{}],
    [{ host: "" }],
    [{ host: "evil.example" }],
    [{ host: "127.0.0.1.evil.example:8766" }],
    [{ host: "localhost@evil.example" }],
    [{ host: "evil.example#localhost" }],
    [{ host, origin: "https://evil.example" }],
    [{ host, origin: "null" }],
    [{ host, origin: "http://127.0.0.1:1" }],
    [{ host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
  ])("refuses %j on this machine", (headers) => {
    expect(() => checkSite(headers, local)).toThrow(expect.objectContaining({ code: "forbidden" }));
  });

  test("beyond this machine any name will do, unless names are given", () => {
    const open = { isLocal: false, allowedHosts: [] };
    const named = { isLocal: false, allowedHosts: ["search.example"] };
    expect(() => checkSite({ host: "any.example" }, open)).not.toThrow();
    expect(() => checkSite({ host: "search.example:443", origin: "https://search.example:443" }, named)).not.toThrow();
    expect(() => checkSite({ host: "10.0.0.7:8766" }, named)).not.toThrow();
    expect(() => checkSite({ host: "any.example" }, named)).toThrow();
    expect(() =>
      checkSite({ host: "search.example" }, { isLocal: true, allowedHosts: ["search.example"] }),
    ).not.toThrow();
  });
});

describe("callerOf", () => {
  const book = {
    callerOf: async (token: string) => (token === "right" ? { name: "a", corpora: ["docs"] } : undefined),
  };

  test("without a book everybody may ask everything; with one, only a bearer of a token", async () => {
    expect(await callerOf({}, undefined)).toEqual({ name: "anybody", corpora: null });
    expect(await callerOf({ authorization: "Bearer right" }, book)).toEqual({ name: "a", corpora: ["docs"] });
    for (const authorization of [
      undefined,
      "",
      "Bearer",
      "Bearer wrong",
      "Basic right",
      "right",
      "Bearer right right",
    ]) {
      const headers = authorization === undefined ? {} : { authorization };
      await expect(callerOf(headers, book)).rejects.toMatchObject({ code: "unauthorized" });
    }
  });
});
