import type { ToolResultEvent } from "../../record/events.ts";
import type { Profile } from "../profiles/profile.ts";

/** Ids that a line of ours lists at most; the rest is a number. */
const IDS_LISTED_MAX = 20;

function listed(ids: readonly string[]): string {
  const shown = ids.slice(0, IDS_LISTED_MAX).join(", ");
  return ids.length > IDS_LISTED_MAX ? `${shown} and ${ids.length - IDS_LISTED_MAX} more` : shown;
}

/** Lines above and below the chunks of a tool result, in our wording. Empty strings are left out by the caller. */
export interface ResultFrame {
  readonly above: string;
  readonly below: string;
}

/**
 * How a tool result reads. The chunks stand between `above` and `below`; `shownIdOf` gives the ids that the policy
 * knows. A result always has at least one line or one chunk.
 */
export function frameResult(
  event: ToolResultEvent,
  profile: Profile,
  shownIdOf: (key: string) => string | undefined,
): ResultFrame {
  if (event.error !== undefined) return { above: `Error: ${event.error.message}`, below: "" };
  if (event.message !== undefined) return { above: event.message, below: "" };
  const ids = (keys: readonly string[]): string =>
    listed(keys.map(shownIdOf).filter((id): id is string => id !== undefined));
  if (profile.resultFrame === "bare") return bareFrame(event, ids);
  const below: string[] = [];
  if (event.alreadyShown.length > 0) below.push(`Already in your context: ${ids(event.alreadyShown)}.`);
  if (event.hiddenPruned.length > 0) {
    const way = profile.pruneScope === "until_read" ? " read_document shows them again." : "";
    below.push(`Pruned earlier: ${ids(event.hiddenPruned)}.${way}`);
  }
  if (event.omitted > 0) below.push(omittedLine(event));
  return { above: above(event), below: below.join("\n") };
}

/**
 * Published results are chunks and nothing else (reference: context-1.md §2.2). Added is what they need because chunks are
 * not repeated here and reads are cut: where the text stands, and that there is more.
 */
function bareFrame(event: ToolResultEvent, ids: (keys: readonly string[]) => string): ResultFrame {
  const isSearch = event.tool === "search_corpus";
  const named = isSearch ? [] : event.alreadyShown;
  const hidesMore = event.omitted > 0 && (event.tool === "read_document" || event.hits.length === 0);
  const below: string[] = [];
  if (named.length > 0) below.push(`Already in your context: ${ids(named)}.`);
  if (hidesMore) below.push(omittedLine(event));
  const nothing = event.hits.length === 0 && below.length === 0;
  return { above: nothing ? "No results found" : "", below: below.join("\n") };
}

function above(event: ToolResultEvent): string {
  if (event.matchesTotal !== undefined && event.matchesTotal > 0) {
    const matches = `${event.matchesTotal} ${event.matchesTotal === 1 ? "match" : "matches"}`;
    const lines = event.hits.flatMap(({ match }) =>
      match === undefined ? [] : [`line ${match.line}: ${match.text.trim()}`],
    );
    const list = lines.length > 0 ? `\n${lines.map((line) => `- ${line}`).join("\n")}` : "";
    return `${matches} in ${event.documentsTotal ?? 0} documents.${list}`;
  }
  const nothing = event.hits.length === 0 && event.alreadyShown.length === 0 && event.hiddenPruned.length === 0;
  return nothing && event.omitted === 0 ? "No results found" : "";
}

function omittedLine(event: ToolResultEvent): string {
  const chunks = event.omitted === 1 ? "1 more chunk" : `${event.omitted} more chunks`;
  return event.tool === "read_document"
    ? `${chunks} of this document not shown: read_document with the id of the last one shown goes on.`
    : `${chunks} did not fit. Narrow the query, or prune to make room.`;
}
