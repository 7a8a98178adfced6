import { describe, expect, it } from "vitest";
import { usageLine } from "../agent/context/blocks.ts";
import { scriptedPolicy } from "../agent/policies/scripted.ts";
import { hashOf } from "../agent/profiles/profile.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { randomChunks } from "../testing/world.ts";
import { type ProfileSettings, profileWith } from "./profile-settings.ts";
import { searchCorpora } from "./search-corpora.ts";

const corpora = [memoryCorpus("test", randomChunks(20, 2, wordCounter()))];

describe("how the budget is told", () => {
  it.each([
    ["context-1", undefined, "[Token usage: 14,203/32,768]"],
    ["context-1-report", undefined, "[Token usage: 14203/16384]"],
    ["context-1-report", "window", "[Token usage: 14,203/32,768]"],
    ["context-1-report", "soft", "[Token usage: 14203/16384]"],
    ["context-1", "soft", "[Token usage: 14203/24576]"],
  ] as const)("%s with the line %s is %s", (profile, form, expected) => {
    const settings = form === undefined ? { profile } : { profile, usageLine: form };
    expect(usageLine(14_203, profileWith(settings))).toBe(expected);
  });

  it("scales with the window", () => {
    const settings = { profile: "context-1-report", contextTokens: 8_192 } as const;
    expect(usageLine(100, profileWith({ ...settings, usageLine: "window" }))).toBe("[Token usage: 100/8,192]");
    expect(usageLine(100, profileWith({ ...settings, usageLine: "soft" }))).toBe("[Token usage: 100/4096]");
  });

  it("is another profile by its hash for each choice, and the profile's own where nothing is said", () => {
    const ways: Partial<ProfileSettings>[] = [
      {},
      { softNotice: "kept" },
      { softNotice: "off" },
      { usageLine: "window" },
      { usageLine: "window", softNotice: "off" },
    ];
    const hashes = ways.map((way) => hashOf(profileWith({ profile: "context-1-report", ...way })));
    expect(new Set(hashes).size).toBe(ways.length);
    expect(hashOf(profileWith({ profile: "context-1-report", softNotice: "once", usageLine: "soft" }))).toBe(hashes[0]);
  });

  it.each([
    ["kept", "kept"],
    ["once", "once"],
    ["off", undefined],
  ] as const)("soft notice %s: the record has the profile, and the run goes by it", async (softNotice, shown) => {
    const look = { calls: [{ tool: "search_corpus", arguments: { query: "amber basin" } }] };
    const steps = [look, { calls: [{ tool: "search_corpus", arguments: { query: "cedar delta" } }] }, look];
    const run = await searchCorpora({
      ...{ question: "amber", corpora, profile: "chat", contextTokens: 2_048, softNotice, usageLine: "soft" },
      policy: () => scriptedPolicy([...steps, { calls: [{ tool: "finish", arguments: { documents: [] } }] }]),
    });
    const notices: string[] = [];
    const lines: string[] = [];
    for await (const event of run) {
      if (event.type === "header")
        expect(event.profile).toMatchObject({ softNotice, usageLine: { denominator: "soft" } });
      if (event.type === "notice" && event.code === "over_soft_limit") notices.push(event.shown);
      if (event.type === "budget") lines.push(event.line);
    }
    expect(lines[0]).toMatch(/^\[Token usage: \d+\/1536\]$/);
    expect([...new Set(notices)]).toEqual(shown === undefined ? [] : [shown]);
  });
});
