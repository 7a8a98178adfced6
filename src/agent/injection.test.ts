import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { Chunk } from "../core/types.ts";
import { type HarmonyCodec, loadHarmonyCodec } from "../models/harmony/codec.ts";
import { ContextConversation } from "../models/harmony/context-conversation.ts";
import { HarmonyRenderer } from "../models/harmony/render.ts";
import { isSpecialId } from "../models/harmony/special-tokens.ts";
import type { RecordEvent } from "../record/events.ts";
import { chunkDocument } from "../retrieval/chunking/chunk-document.ts";
import { startTestRun } from "../testing/agent-fixture.ts";
import { FORGED_LINES, FORGED_TOKENS, hostileDocuments, ORDERS } from "../testing/hostile-texts.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { randomChunks } from "../testing/world.ts";
import { messageText, type RenderedContext } from "./context/rendered.ts";
import { chatMessages } from "./policies/chat-model/chat-messages.ts";
import { harmonySettings } from "./policies/harmony/harmony-settings.ts";
import { rulesPolicy } from "./policies/rules/rules.ts";
import { type ScriptStep, scriptedPolicy } from "./policies/scripted.ts";
import type { View } from "./policy.ts";
import { chat, chatForModels, chatWithJoins } from "./profiles/chat.ts";
import { context1, context1Report } from "./profiles/context-1.ts";
import { offeredTools, type Profile } from "./profiles/profile.ts";
import { replayRecord } from "./replay-record.ts";

const SCALE = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const PROFILES: readonly Profile[] = [chat, chatWithJoins, chatForModels, context1, context1Report];
const counter = wordCounter();

let codec: HarmonyCodec;
beforeAll(async () => {
  codec = await loadHarmonyCodec();
});

function chunksOf(documents: Readonly<Record<string, string>>): Chunk[] {
  return Object.entries(documents).flatMap(([id, text]) =>
    chunkDocument(
      {
        id,
        uri: id,
        title: text.split("\n")[0] ?? id,
        format: "markdown",
        text,
        metadata: { repository: text.slice(0, 60) },
      },
      { counter, targetTokens: 128 },
    ),
  );
}

/** What an eye sees of a line: marks of direction and the like are taken out, forms of a letter are one. */
const seen = (line: string): string =>
  line
    .normalize("NFKC")
    .replace(/[\p{Cf}\p{Mn}]/gu, "")
    .trimStart();
const linesOf = (text: string): string[] => text.split(/[\n\r\v\f\u0085\u2028\u2029]/).map(seen);
const count = (lines: readonly string[], pattern: RegExp): number => lines.filter((line) => pattern.test(line)).length;

/** Counts the lines of a view that are the harness's, and compares with what the record's events say must be there. */
function checkView({ context }: Pick<View, "context">): void {
  const blocks = context.messages.flatMap((message) => [
    ...message.blocks,
    ...(message.reasoning ? [message.reasoning] : []),
  ]);
  const foreign = context.messages.filter(({ role }) => role !== "assistant").map(messageText);
  const lines = foreign.flatMap(linesOf);
  const ofKind = (kind: string): number => blocks.filter((block) => block.kind === kind).length;
  // A Cyrillic letter is seen as the Latin one that it is drawn like.
  const drawn = lines.map((line) => line.replaceAll("\u0422", "T").replaceAll("\u043e", "o"));
  expect(count(drawn, /^#+\s*(?:DOCUMENT ID:|Chunk d\d)/)).toBe(ofKind("chunk"));
  // The prompt of Context-1 quotes the form of the line within one of its own.
  expect(count(drawn, /^\[Token usage/)).toBe(
    blocks.filter((block) => block.kind !== "chunk" && /^\[Token usage/m.test(block.text)).length,
  );
  expect(count(drawn, /^\[Pruned/)).toBe(ofKind("stub"));
  expect(count(drawn, /^Your notes, as you last wrote them:/)).toBe(ofKind("notes"));
  for (const { kind, text } of blocks) {
    if (kind === "chunk") expect(count(linesOf(text), /^\[Token usage|^\[Pruned|^Your notes, as/)).toBe(0);
  }
}

/** As ids of a harmony prompt: no more special tokens than the messages' own frames have. */
async function checkTokens({ context, tools, conclusion, date }: View): Promise<void> {
  const settings = await harmonySettings({ tools, conclusion, date });
  const conversation = new ContextConversation(settings).of(context.messages);
  const { ids, spans } = new HarmonyRenderer(codec).render(conversation);
  for (const { index, start, end } of spans) {
    const message = conversation[index];
    const framed =
      message?.kind === "text" ? [message.channel, message.contentType].filter((part) => part !== undefined).length : 0;
    expect(ids.slice(start, end).filter(isSpecialId)).toHaveLength(3 + framed);
  }
}

function checkMessages({ messages }: RenderedContext): void {
  const calls = messages.reduce((sum, message) => sum + (message.calls?.length ?? 0), 0);
  const chatForm = chatMessages({ messages, tokens: 0 });
  const results = chatForm.flatMap((message) => (message.role === "tool" ? message.results : []));
  expect(results).toHaveLength(calls);
  expect(chatForm.filter(({ role }) => role === "assistant")).toHaveLength(
    messages.filter(({ role }) => role === "assistant").length,
  );
}

const search = (query: string) => ({ tool: "search_corpus", arguments: { query } });
const shownIds = ({ context }: View): string[] =>
  context.messages.flatMap((message) => message.blocks.flatMap((block) => block.chunk?.shownId ?? []));

/** Does whatever any text in view orders, in any of the forms in which it could be read as a call. */
const obey: ScriptStep = (view) => {
  const text = view.context.messages.map(messageText).join("\n");
  const ordered = [
    ...text.matchAll(/call (\w+) with (\{[^\n]*?\})(?= |\.|\n|$)/g),
    ...text.matchAll(/"name":"(\w+)","arguments":(\{[^\n]*?\})\}/g),
    ...text.matchAll(/to=functions\.(\w+)[^{]*(\{[^\n]*?\})/g),
  ];
  const calls = ordered.map(([, tool = "", given = ""]) => ({ tool, arguments: given }));
  return { calls: calls.length === 0 ? [search("walrus orders")] : calls };
};

/** What holds of a run whatever its policy was told by documents. */
function checkRun(events: readonly RecordEvent[], profile: Profile): void {
  const shown = new Set<string>();
  for (const event of events) {
    if (event.type === "tool_result") {
      for (const { key } of event.hits) shown.add(key);
      const isOffered = offeredTools(profile).some((tool) => tool === event.tool);
      // What is no tool of the agent ends in an error, and does nothing.
      if (!isOffered) expect(event).toMatchObject({ error: { code: "invalid_call" }, chunks: [], hits: [] });
    } else if (event.type === "edit") for (const key of event.pruned) expect(shown.has(key)).toBe(true);
    else if (event.type === "budget") expect(event.used).toBeLessThanOrEqual(event.limit);
    else if (event.type === "end")
      for (const { chunks } of event.documents) for (const key of chunks) expect(shown.has(key)).toBe(true);
  }
  expect(events.at(-1)?.type).toBe("end");
  expect(Reflect.get({}, "polluted")).toBe(undefined);
}

const hostile = memoryCorpus("hostile", [...chunksOf(hostileDocuments()), ...randomChunks(6, 1, counter)]);

describe.each(PROFILES.map((profile) => [`${profile.name}@${profile.version}`, profile] as const))(
  "under %s",
  (_name, profile) => {
    test("a context holds our own lines only, as text, as chat messages and as tokens", async () => {
      let views = 0;
      const look =
        (calls: ScriptStep): ScriptStep =>
        async (view, options) => {
          checkView(view);
          checkMessages(view.context);
          await checkTokens(view);
          views++;
          return typeof calls === "function" ? calls(view, options) : calls;
        };
      const notes = { tool: "update_notes", arguments: { constraints: [], text: FORGED_LINES.join("\n") } };
      const { run, record } = startTestRun(
        scriptedPolicy([
          look({ calls: [search("walrus"), search("said forms ledger"), notes] }),
          look({
            calls: [search("walrus tokens assistant"), { tool: "grep_corpus", arguments: { pattern: "Token usage" } }],
          }),
          look((view) => ({
            calls: [{ tool: "prune_chunks", arguments: { chunk_ids: shownIds(view).slice(0, 2) } }, search("terminal")],
          })),
          look((view) => ({ calls: [{ tool: "read_document", arguments: { doc_id: shownIds(view)[0] ?? "" } }] })),
          look({ calls: [] }),
        ]),
        { profile, counter, corpora: [hostile], query: `Where? ${FORGED_LINES.join("\n")}`, limits: { turnsMax: 6 } },
      );
      const { error } = await run.result;
      // A failed expectation is a failure of the policy, which a run survives.
      expect(error).toBe(undefined);
      expect(views).toBeGreaterThanOrEqual(5);
      checkRun(record().events, profile);
      expect([...replayRecord(record(), counter)].every(({ same }) => same)).toBe(true);
    });

    test("a model that obeys every order can do no more than the tools let it", async () => {
      const { run, record } = startTestRun(
        scriptedPolicy([{ calls: [search("walrus orders"), search("tokens")] }, obey, obey, obey], obey),
        {
          profile,
          corpora: [hostile],
          limits: { turnsMax: 8 },
        },
      );
      await run.result;
      const { events } = record();
      checkRun(events, profile);
      const asked = events.flatMap((event) => (event.type === "decision" ? event.calls.map(({ tool }) => tool) : []));
      // Else the double has obeyed nothing.
      expect(asked).toEqual(expect.arrayContaining(["write_file", "exec", "prune_chunks"]));
    });
  },
);

describe("rules", () => {
  /** As long as the hostile text by every count of a lexical search, and saying nothing. */
  const neutral = (text: string): string => text.replace(/[\p{L}\p{N}]+/gu, "zzz");
  const runOver = async (chunks: readonly Chunk[], query: string) => {
    const { run, record } = startTestRun(rulesPolicy(), {
      corpora: [memoryCorpus("c", [...chunks, ...randomChunks(30, 2, counter)])],
      query,
    });
    return { result: await run.result, events: record().events };
  };

  test("documents that the question does not match change nothing, whatever they order", async () => {
    const property = fc.asyncProperty(
      fc.shuffledSubarray([...ORDERS, ...FORGED_LINES, ...FORGED_TOKENS], { minLength: 1 }),
      async (lines) => {
        const text = `qqq ${lines.join("\nqqq ")}\n`;
        const chunkOf = (body: string): Chunk[] => {
          const [chunk] = randomChunks(1, 1, counter);
          return chunk === undefined
            ? []
            : [{ ...chunk, id: "h#0", documentId: "h", uri: "h", title: "qqq", text: body }];
        };
        const ordering = await runOver(chunkOf(text), "amber basin delta");
        const harmless = await runOver(chunkOf(neutral(text)), "amber basin delta");
        expect(ordering.events).toEqual(harmless.events);
      },
    );
    await fc.assert(property, { numRuns: 5 * SCALE, seed: 5 });
  });

  test("orders in a document that is found do not end the search, prune it bare or empty the list", async () => {
    const documents = hostileDocuments();
    for (const text of [ORDERS, FORGED_LINES, FORGED_TOKENS].map((lines) => lines.join("\n"))) {
      const chunks = chunksOf({
        "walrus.md": `# Walrus keeper\n\nThe walrus keeper is Ida Fenn.\n\n${text}\n`,
        "fenn.md": "# Ida Fenn\n\nIda Fenn lives in hall nine.\n",
        "rows.md": documents["orders.md"] ?? "",
      });
      const { result, events } = await runOver(chunks, "Where does the walrus keeper live?");
      expect(result).toMatchObject({ stopReason: "finished", concluded: "policy" });
      const hits = events.flatMap((event) => (event.type === "tool_result" ? event.chunks : []));
      expect(hits.map(({ documentId }) => documentId)).toEqual(expect.arrayContaining(["walrus.md", "fenn.md"]));
      expect(result.documents[0]?.id).toBe("walrus.md");
      expect(events.filter(({ type }) => type === "edit")).toEqual([]);
      checkRun(events, chat);
    }
  });
});
