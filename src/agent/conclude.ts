import { oneLine } from "../core/text.ts";
import type { RecordedCall, RecordedDocument, RecordedQuote } from "../record/events.ts";
import type { Context } from "./context/context.ts";
import { documentKeyOf } from "./context/id-book.ts";
import { NO_DOCUMENT } from "./context/wording.ts";
import { foldDuplicates } from "./fold-duplicates.ts";
import type { Profile } from "./profiles/profile.ts";
import { offeredTools } from "./profiles/profile.ts";
import { findQuote, type QuotePlace } from "./quotes.ts";
import { checkCall, type FinalEntry } from "./tools/call-arguments.ts";
import type { Constraint } from "./tools/constraints.ts";
import type { Trajectory } from "./trajectory.ts";

const JUSTIFICATION_UNITS_MAX = 1_000;

/** Opening tag of a Document element; the quotes around the id are optional (reference: context-1.md §2.7). */
const DOCUMENT_TAG = /<Document\b[^<>]{0,40}?\bid\s*=\s*["']?([^"'<>\s]{1,200})["']?[^<>]{0,200}>/gi;
const JUSTIFICATION = /<Justification>([\s\S]{0,4000}?)<\/Justification>/i;

/** Reads Document elements out of a policy's text. */
export function parseDocumentElements(text: string): FinalEntry[] {
  const tags = [...text.matchAll(DOCUMENT_TAG)];
  return tags.map((tag, i) => {
    const body = text.slice(tag.index + tag[0].length, tags[i + 1]?.index ?? text.length);
    return { id: tag[1] ?? "", justification: JUSTIFICATION.exec(body)?.[1]?.trim() ?? "" };
  });
}

interface Concluding {
  readonly text?: string;
  readonly reasoning?: string;
  readonly calls: readonly RecordedCall[];
}

/** A call of `finish` that can be read. */
export interface FinishCall {
  readonly callId: string;
  readonly documents: readonly FinalEntry[];
  /** Undefined where the policy gave none. */
  readonly coverage?: readonly Constraint[];
}

/** The first `finish` of a decision that can be read. */
export function finishCall({ calls }: Concluding, profile: Profile): FinishCall | undefined {
  for (const recorded of calls) {
    if (recorded.tool !== "finish") continue;
    const check = checkCall(recorded, offeredTools(profile));
    if ("call" in check && check.call.tool === "finish") return { ...check.call, callId: recorded.id };
  }
  return undefined;
}

/** The final list as a policy wrote it: undefined when the decision does not conclude. */
export function finalEntries(decision: Concluding, profile: Profile): readonly FinalEntry[] | undefined {
  const finish = finishCall(decision, profile);
  if (finish !== undefined) return finish.documents;
  if (decision.calls.length > 0) return undefined;
  const fromText = parseDocumentElements(decision.text ?? "");
  if (fromText.length > 0) return fromText;
  if (profile.conclusion === "document_elements" && decision.text?.includes(NO_DOCUMENT) === true) return [];
  const fromReasoning = decision.text === undefined ? parseDocumentElements(decision.reasoning ?? "") : [];
  return fromReasoning.length > 0 ? fromReasoning : undefined;
}

function recordedQuote({ start, end, line, text }: QuotePlace): RecordedQuote {
  return { start, end, line, text };
}

export interface ResolvedList {
  readonly documents: readonly RecordedDocument[];
  /** Ids that name nothing the run has shown. */
  readonly unknown: readonly string[];
}

/**
 * Checks a policy's list against what it was shown: known documents only, each once, near-duplicates folded, at most `documentsMax`. The chunk that
 * holds an entry's quote speaks for its document first; without one it is the chunk that the entry names.
 */
export function resolveList(
  entries: readonly FinalEntry[],
  context: Context,
  trajectory: Trajectory,
  documentsMax: number,
): ResolvedList {
  const documents = new Map<string, RecordedDocument>();
  const unknown: string[] = [];
  for (const { id, justification, quote } of entries) {
    const document = context.document(id);
    if (document === undefined) {
      unknown.push(oneLine(id, 60));
      continue;
    }
    const key = documentKeyOf({ corpus: document.corpus, documentId: document.id });
    const place = quote === undefined ? undefined : findQuote(quote, document, context);
    const first = place?.key ?? context.chunkKey(id);
    const entry = trajectory.entry(key, oneLine(justification, JUSTIFICATION_UNITS_MAX), first);
    if (entry === undefined || documents.has(key)) continue;
    documents.set(key, place === undefined ? entry : { ...entry, quote: recordedQuote(place) });
  }
  const list = foldDuplicates(
    [...documents.values()],
    trajectory.seen(),
    (key) => context.allChunks().get(key),
    documentsMax,
  );
  return { documents: list, unknown };
}
