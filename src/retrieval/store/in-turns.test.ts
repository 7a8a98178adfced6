import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Gate } from "../../core/gate.ts";
import { inTurns } from "./in-turns.ts";
import type { StoreReader } from "./store.ts";

const ROWS_MAX = 10;
let warnings: string[];
const note = (warning: Error): void => void warnings.push(warning.message);
beforeEach(() => {
  warnings = [];
  process.on("warning", note);
});
afterEach(() => {
  process.off("warning", note);
});

/** A reader whose queries end when they are told to. */
function heldReader(): { readonly reader: StoreReader; readonly begun: string[]; end(): void } {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const held = async <T>(name: string, answer: T): Promise<T> => {
    begun.push(name);
    await new Promise<void>((resolve) => ends.push(resolve));
    return answer;
  };
  const list = { candidates: [], complete: true };
  const reader: StoreReader = {
    capabilities: {
      lexical: true,
      dense: true,
      fusion: "client",
      exclusion: { lexical: "native", dense: "native" },
      filters: "native",
      maxResults: ROWS_MAX,
      writable: false,
    },
    lexical: ({ terms }) => held(terms.join(" "), list),
    dense: () => held("dense", list),
    chunks: () => held("chunks", []),
    chunksOf: () => held("chunksOf", []),
    spansOf: () => held("spansOf", []),
    documentsWhere: () => held("documentsWhere", new Set()),
    async *scan() {
      yield [];
    },
    async *rows() {
      yield [];
    },
    counts: async () => ({ chunks: 0, unindexed: 0 }),
    close: async () => {},
  };
  return { reader, begun, end: () => ends.shift()?.() };
}

const ask = (reader: StoreReader, term: string, signal?: AbortSignal) =>
  reader.lexical({ terms: [term], limit: 1, exclude: new Set(), ...(signal === undefined ? {} : { signal }) });

test("queries of every kind are put to the store in order, so many at once", async () => {
  const { reader, begun, end } = heldReader();
  const turns = inTurns(reader, new Gate({ runningMax: 2 }));
  const exclude = new Set<string>();
  const all = [
    ask(turns, "first"),
    turns.dense({ vector: new Float32Array(1), text: "", limit: 1, exclude }),
    turns.chunks([]),
    turns.chunksOf([]),
    turns.spansOf([]),
    turns.documentsWhere([]),
    ask(turns, "last"),
  ];
  const kinds = ["first", "dense", "chunks", "chunksOf", "spansOf", "documentsWhere", "last"];
  for (let ended = 0; ended < all.length; ended++) {
    await delay(1);
    expect(begun).toEqual(kinds.slice(0, ended + 2));
    end();
  }
  await Promise.all(all);
  // What lasts as long as its caller takes does not wait, and keeps nobody waiting.
  await expect(turns.counts()).resolves.toEqual({ chunks: 0, unindexed: 0 });
});

test("who gives up waiting is never put to the store, and a thousand may wait with one signal", async () => {
  const { reader, begun, end } = heldReader();
  const gate = new Gate({ runningMax: 1 });
  const turns = inTurns(reader, gate);
  const first = ask(turns, "first");
  const controller = new AbortController();
  const given = Array.from({ length: 1_000 }, (_, i) => ask(turns, `given up ${i}`, controller.signal));
  const last = ask(turns, "last");
  expect(gate.waiting).toBe(1_001);
  controller.abort(new Error("No more."));
  const outcomes = await Promise.allSettled(given);
  expect(outcomes.every((one) => one.status === "rejected" && String(one.reason) === "Error: No more.")).toBe(true);
  expect(gate.waiting).toBe(1);
  end();
  await first;
  await delay(1);
  end();
  await last;
  expect(begun).toEqual(["first", "last"]);
  expect(warnings).toEqual([]);
});
