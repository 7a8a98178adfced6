import type { ResultDocument } from "../../../src/agent/result.ts";
import type { RunUsage } from "../../../src/record/events.ts";
import type { Run } from "./load.ts";
import { endOf } from "./turns.ts";

/** A document that at least one of two runs returned, with its rank in each. */
export interface RankPair {
  readonly title: string;
  readonly id: string;
  readonly left: number | undefined;
  readonly right: number | undefined;
}

/** A number of both runs; undefined where a run did not end. */
export interface FigurePair {
  readonly name: string;
  readonly left: number | undefined;
  readonly right: number | undefined;
}

/** The documents of both lists, those in both first, each group by its better rank. */
export function pairedDocuments(left: Run, right: Run): readonly RankPair[] {
  const pairs = new Map<string, RankPair>();
  const add = (documents: readonly ResultDocument[], side: "left" | "right"): void => {
    for (const { corpus, id, title, rank } of documents) {
      const key = `${corpus}\u0000${id}`;
      const known = pairs.get(key) ?? {
        title: title.trim() === "" ? id : title,
        id,
        left: undefined,
        right: undefined,
      };
      pairs.set(key, { ...known, [side]: rank });
    }
  };
  add(left.result?.documents ?? [], "left");
  add(right.result?.documents ?? [], "right");
  const better = ({ left: a, right: b }: RankPair): number =>
    Math.min(a ?? Number.POSITIVE_INFINITY, b ?? Number.POSITIVE_INFINITY);
  const isInBoth = ({ left: a, right: b }: RankPair): boolean => a !== undefined && b !== undefined;
  return [...pairs.values()].sort((a, b) => Number(isInBoth(b)) - Number(isInBoth(a)) || better(a) - better(b));
}

const FIGURES: readonly (readonly [name: string, of: (usage: RunUsage) => number])[] = [
  ["Turns", (usage) => usage.turns],
  ["Tool calls", (usage) => usage.toolCalls],
  ["Prompt tokens", (usage) => usage.promptTokens],
  ["Completion tokens", (usage) => usage.completionTokens],
  ["Chunks shown", (usage) => usage.shownChunks],
  ["Chunks pruned", (usage) => usage.prunedChunks],
  ["Seconds", (usage) => Math.round(usage.seconds * 10) / 10],
];

/** What two runs took, number by number. */
export function pairedFigures(left: Run, right: Run): readonly FigurePair[] {
  const [a, b] = [endOf(left.record)?.usage, endOf(right.record)?.usage];
  return FIGURES.map(([name, of]) => ({
    name,
    left: a === undefined ? undefined : of(a),
    right: b === undefined ? undefined : of(b),
  }));
}
