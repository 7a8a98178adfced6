import type { DocumentName, Metadata, Passage } from "../core/types.ts";
import type {
  Concluded,
  EndEvent,
  Outcome,
  RecordEvent,
  RecordedChunk,
  RecordedDocument,
  RecordHeader,
  RunFailure,
  RunUsage,
  StopReason,
} from "../record/events.ts";

/** Chunks of one document that a result carries text of. */
const PASSAGES_PER_DOCUMENT_MAX = 3;

export interface ResultDocument {
  readonly id: string;
  readonly corpus: string;
  readonly uri: string;
  readonly title: string;
  readonly metadata: Metadata;
  /** From 1. */
  readonly rank: number;
  /** Fused over the run's queries; orders nothing across runs. */
  readonly score: number;
  readonly justification: string;
  readonly chunkIds: readonly string[];
  readonly passages: readonly Passage[];
  /** The words by which the policy justified it, found in the document's own text; policies that quote only. */
  readonly quote?: Passage;
  /** True when every shown chunk of it had been pruned. */
  readonly pruned: boolean;
  /** Documents that say the same in the same words and take no place of their own. */
  readonly duplicates: readonly DocumentName[];
}

/** What a search returns, and what `winnow search --json` prints (design §5). */
export interface SearchResult {
  readonly schema: "result/1";
  readonly runId: string;
  readonly query: string;
  readonly corpora: readonly string[];
  readonly documents: readonly ResultDocument[];
  readonly stopReason: StopReason;
  readonly concluded: Concluded;
  readonly outcome: Outcome;
  readonly usage: RunUsage;
  readonly notices: readonly { readonly code: string; readonly message: string }[];
  readonly error?: RunFailure;
  readonly recordPath: string | null;
}

/** Builds the result from a record's parts; works on a finished record read back from disk as well. */
export function toResult(
  header: RecordHeader,
  events: readonly RecordEvent[],
  end: EndEvent,
  recordPath: string | undefined,
): SearchResult {
  const chunks = new Map<string, RecordedChunk>();
  const notices = new Map<string, { code: string; message: string }>();
  for (const event of events) {
    if (event.type === "end") for (const chunk of event.chunks ?? []) chunks.set(chunk.key, chunk);
    if (event.type === "tool_result") for (const chunk of event.chunks) chunks.set(chunk.key, chunk);
    if (event.type === "notice" && event.shown === "never") {
      notices.set(event.message, { code: event.code, message: event.message });
    }
  }
  const documents = end.documents.flatMap((document, i) => resultDocument(document, i + 1, chunks));
  return {
    schema: "result/1",
    runId: header.runId,
    query: header.query,
    corpora: header.corpora.map((corpus) => corpus.name),
    documents,
    stopReason: end.stopReason,
    concluded: end.concluded,
    outcome: end.outcome,
    usage: end.usage,
    notices: [...notices.values()],
    ...(end.error === undefined ? {} : { error: end.error }),
    recordPath: recordPath ?? null,
  };
}

function resultDocument(
  document: RecordedDocument,
  rank: number,
  chunks: ReadonlyMap<string, RecordedChunk>,
): ResultDocument[] {
  const shown = document.chunks
    .map((key) => chunks.get(key))
    .filter((chunk): chunk is RecordedChunk => chunk !== undefined);
  const [first] = shown;
  if (first === undefined) return [];
  const passages = shown
    .slice(0, PASSAGES_PER_DOCUMENT_MAX)
    .map(({ start, end, text, line }) => ({ start, end, text, line }));
  return [
    {
      id: document.id,
      corpus: document.corpus,
      uri: first.uri,
      title: first.title,
      metadata: first.metadata,
      rank,
      score: document.score,
      justification: document.justification,
      chunkIds: shown.map((chunk) => chunk.id),
      passages,
      ...(document.quote === undefined ? {} : { quote: document.quote }),
      pruned: document.pruned,
      duplicates: document.duplicates ?? [],
    },
  ];
}
