import { IdBook } from "../../../src/agent/context/id-book.ts";
import { recordedProfile } from "../../../src/agent/replay-record.ts";
import type { RecordEvent, RecordedChunk } from "../../../src/record/events.ts";
import type { RunRecord } from "../../../src/record/parse-record.ts";

/** What happened to a chunk in a turn. `again`: matched while it stood in the context; `hidden`: matched after pruning. */
export type MomentKind = "found" | "pruned" | "readAgain" | "again" | "hidden";

export interface Moment {
  readonly turn: number;
  readonly kind: MomentKind;
}

/** Turns at whose end the chunk stands in the context, both ends included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** One chunk from its first appearance to the end of the run. */
export interface ChunkLife {
  readonly chunk: RecordedChunk;
  /** As the policy knows it. */
  readonly shownId: string;
  readonly moments: readonly Moment[];
  readonly spans: readonly Span[];
  /** True when a document of the final list names it. */
  readonly inResult: boolean;
}

/** The chunks of one document, in order of appearance. */
export interface DocumentLives {
  readonly key: string;
  readonly title: string;
  readonly uri: string;
  readonly corpus: string;
  readonly shownId: string;
  readonly lives: readonly ChunkLife[];
  readonly inResult: boolean;
}

interface Draft {
  readonly chunk: RecordedChunk;
  readonly shownId: string;
  readonly shownDocumentId: string;
  readonly moments: Moment[];
  readonly spans: Span[];
  openFrom: number | undefined;
}

/** Follows every chunk that was ever shown through the record, by the same rules as the context itself. */
export function chunkLives(record: RunRecord): readonly ChunkLife[] {
  const ids = new IdBook(recordedProfile(record).idStyle);
  const chunks = new Map<string, RecordedChunk>();
  const drafts = new Map<string, Draft>();
  const inResult = new Set<string>();
  let lastTurn = 0;
  for (const event of record.events) {
    lastTurn = Math.max(lastTurn, event.turn);
    if (event.type === "end") for (const { chunks: keys } of event.documents) for (const key of keys) inResult.add(key);
    follow(event, { ids, chunks, drafts });
  }
  return [...drafts.values()].map(({ chunk, shownId, moments, spans, openFrom }) => ({
    chunk,
    shownId,
    moments,
    spans: openFrom === undefined ? spans : [...spans, { from: openFrom, to: lastTurn }],
    inResult: inResult.has(chunk.key),
  }));
}

interface Fold {
  readonly ids: IdBook;
  readonly chunks: Map<string, RecordedChunk>;
  readonly drafts: Map<string, Draft>;
}

function follow(event: RecordEvent, { ids, chunks, drafts }: Fold): void {
  const { turn } = event;
  const mark = (keys: readonly string[], kind: MomentKind): void => {
    for (const key of keys) drafts.get(key)?.moments.push({ turn, kind });
  };
  if (event.type === "ranking") for (const entry of event.entries) ids.assign(entry);
  if (event.type === "edit") {
    for (const key of event.pruned) {
      const draft = drafts.get(key);
      if (draft?.openFrom === undefined) continue;
      if (turn > draft.openFrom) draft.spans.push({ from: draft.openFrom, to: turn - 1 });
      draft.openFrom = undefined;
      draft.moments.push({ turn, kind: "pruned" });
    }
  }
  if (event.type !== "tool_result") return;
  for (const chunk of event.chunks) chunks.set(chunk.key, chunk);
  for (const { key } of event.hits) {
    const chunk = chunks.get(key);
    if (chunk === undefined) continue;
    const known = drafts.get(key);
    if (known?.openFrom !== undefined) continue;
    const draft = known ?? { chunk, ...ids.assign(chunk), moments: [], spans: [], openFrom: undefined };
    draft.moments.push({ turn, kind: known === undefined ? "found" : "readAgain" });
    draft.openFrom = turn;
    drafts.set(key, draft);
  }
  mark(event.alreadyShown, "again");
  mark(event.hiddenPruned, "hidden");
}

/** Groups lives by document, documents in order of first appearance, chunks in order of their place in the text. */
export function byDocument(lives: readonly ChunkLife[]): readonly DocumentLives[] {
  const groups = new Map<string, ChunkLife[]>();
  for (const life of lives) {
    const key = `${life.chunk.corpus}\u0000${life.chunk.documentId}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [life]);
    else group.push(life);
  }
  return [...groups].map(([key, group]) => {
    const [first] = group as [ChunkLife];
    const { title, uri, corpus, documentId } = first.chunk;
    return {
      key,
      title: title.trim() === "" ? documentId : title,
      uri,
      corpus,
      shownId: first.shownId.replace(/[._]\d+$/, ""),
      lives: [...group].sort((a, b) => a.chunk.index - b.chunk.index),
      inResult: group.some((life) => life.inResult),
    };
  });
}

/** Whether a chunk stands in the context at the end of a turn. */
export function isVisibleAt(life: ChunkLife, turn: number): boolean {
  return life.spans.some(({ from, to }) => from <= turn && turn <= to);
}

/** Whether a chunk was pruned at any time, shown again since or not. */
export function wasPruned({ moments }: ChunkLife): boolean {
  return moments.some(({ kind }) => kind === "pruned");
}

/** For each turn from 0, how many chunks of a document stand in the context at its end. */
export function visibleCounts(lives: readonly ChunkLife[], lastTurn: number): readonly number[] {
  const counts = Array.from({ length: lastTurn + 1 }, () => 0);
  for (const { spans } of lives) {
    for (const { from, to } of spans) {
      for (let turn = from; turn <= Math.min(to, lastTurn); turn++) counts[turn] = (counts[turn] ?? 0) + 1;
    }
  }
  return counts;
}

const KIND_WORDS: Readonly<Record<MomentKind, string>> = {
  found: "found",
  pruned: "pruned",
  readAgain: "shown again",
  again: "matched again while shown",
  hidden: "matched again while pruned",
};

/** A life in words: `found in turn 3, pruned in turn 9`. */
export function lifeInWords({ moments }: ChunkLife): string {
  const parts: string[] = [];
  for (const { turn, kind } of moments) {
    const part = `${KIND_WORDS[kind]} in turn ${turn}`;
    if (parts.at(-1) !== part) parts.push(part);
  }
  return parts.join(", ");
}
