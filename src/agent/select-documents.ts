import { oneLine, plural } from "../core/text.ts";
import type { RecordedDocument } from "../record/events.ts";
import type { Context } from "./context/context.ts";
import { escapeLookalikes } from "./context/lookalikes.ts";
import type { Profile } from "./profiles/profile.ts";

/** A shorter list is taken as it is. */
export const SELECTION_DOCUMENTS_MIN = 3;
/** Documents that the request spells out. */
const SPELT_OUT_MAX = 12;
const TITLE_UNITS_MAX = 60;
const GROUND_UNITS_MAX = 120;
const NAMED_MAX = 5;

/**
 * What asks a policy to look at its list as a whole before it is taken: each document with the words that it was listed
 * for. Undefined where the profile does not ask, or the list is short. A search collects what might matter; this is the
 * one moment at which everything stands side by side.
 */
export function selectionRequest(
  documents: readonly RecordedDocument[],
  context: Context,
  profile: Profile,
): string | undefined {
  if (profile.selection !== "asked" || documents.length < SELECTION_DOCUMENTS_MIN) return undefined;
  const lines = documents.slice(0, SPELT_OUT_MAX).map((document) => `- ${described(document, context)}`);
  const left = documents.length - lines.length;
  if (left > 0) lines.push(`- and ${left} more`);
  return `Your list so far, side by side:
${lines.join("\n")}
Keep a document only when the question could not be answered, or its answer not be checked, without it. Leave out what repeats another or only touches the subject. Order by how much depends on it.`;
}

function described({ chunks, quote, justification }: RecordedDocument, context: Context): string {
  const [key = ""] = chunks;
  const chunk = context.allChunks().get(key);
  const ground = quote === undefined ? justification : `"${oneLine(quote.text, GROUND_UNITS_MAX)}"`;
  const title = oneLine(chunk?.title ?? "", TITLE_UNITS_MAX);
  const parts = [context.shownIdOf(key) ?? "", title].filter((part) => part !== "").join(" ");
  return escapeLookalikes(`${parts}: ${oneLine(ground, GROUND_UNITS_MAX + 2)}`);
}

/** What the caller should know of documents that a policy listed at first and left out after it was asked. */
export function selectionNotices(
  first: readonly RecordedDocument[],
  last: readonly RecordedDocument[],
): { code: string; message: string }[] {
  const kept = new Set(last.map(({ corpus, id }) => JSON.stringify([corpus, id])));
  const dropped = first.filter(({ corpus, id }) => !kept.has(JSON.stringify([corpus, id]))).map(({ id }) => id);
  if (dropped.length === 0) return [];
  const named = dropped.slice(0, NAMED_MAX).map((id) => oneLine(id, TITLE_UNITS_MAX));
  const more = dropped.length > named.length ? ` and ${dropped.length - named.length} more` : "";
  const message = `The selection left out ${plural(dropped.length, "document")} of a first list of ${first.length}: ${named.join(", ")}${more}.`;
  return [{ code: "selected", message }];
}
