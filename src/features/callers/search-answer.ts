import type { SearchResult } from "../../agent/result.ts";
import type { RunEvent } from "../../agent/run.ts";
import { oneLine, plural } from "../../core/text.ts";
import type { Outcome, StopReason } from "../../record/events.ts";
import { documentBlock, type ListedDocument, listedDocuments, noticeLines } from "./listed-documents.ts";

const QUERY_UNITS_MAX = 80;

/** What a search gives a caller that is a model itself: the same as `result/1`, cut to what it needs. */
export interface SearchAnswer {
  readonly question: string;
  readonly corpora: readonly string[];
  readonly outcome: Outcome;
  readonly stopReason: StopReason;
  readonly documents: readonly ListedDocument[];
  readonly notices: readonly string[];
  readonly runId: string;
  readonly turns: number;
  readonly promptTokens: number;
}

/** `folder` is the one that places are written from. */
export function searchAnswer(result: SearchResult, folder: string): SearchAnswer {
  const failed = result.error === undefined ? [] : [result.error.message];
  return {
    question: result.query,
    corpora: result.corpora,
    outcome: result.outcome,
    stopReason: result.stopReason,
    documents: listedDocuments(result.documents, ({ justification }) => justification, folder),
    notices: [...failed, ...result.notices.map(({ message }) => message)],
    runId: result.runId,
    turns: result.usage.turns,
    promptTokens: result.usage.promptTokens,
  };
}

/** The same for a model to read. */
export function searchAnswerText({ documents, notices, stopReason, outcome, ...answer }: SearchAnswer): string {
  const why = stopReason.replaceAll("_", " ");
  const found =
    documents.length > 0
      ? `${plural(documents.length, "document")}, best first, from ${answer.corpora.join(", ")}.`
      : stopReason === "finished"
        ? "Nothing in the corpus supports this question. Say so rather than guess."
        : `No documents: the search stopped early (${why}), so this does not mean that there are none.`;
  const isPartial = documents.length > 0 && outcome === "partial";
  return [
    found,
    ...(isPartial ? [`The search stopped early (${why}): more may be there.`] : []),
    ...documents.map(documentBlock),
    ...noticeLines(notices),
    `run ${answer.runId}: ${plural(answer.turns, "turn")}`,
  ].join("\n\n");
}

/** What a decision asks for, in one line; undefined for every other event. */
export function progressLine(event: RunEvent): string | undefined {
  if (event.type !== "decision") return undefined;
  const asked = event.calls.map(({ tool, arguments: given }) => {
    const { query, pattern, doc_id: id, chunk_ids: pruned } = given as Record<string, unknown>;
    const about = query ?? pattern ?? id ?? (Array.isArray(pruned) ? plural(pruned.length, "chunk") : "");
    return oneLine(`${tool.replace(/_.*$/, "")} ${String(about)}`.trim(), QUERY_UNITS_MAX);
  });
  return `Turn ${event.turn}: ${asked.length === 0 ? "concludes" : asked.join("; ")}`;
}
