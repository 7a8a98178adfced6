import { oneLine, stripControl } from "../core/text.ts";
import type { DocumentName } from "../core/types.ts";

const NAMED_MAX = 3;
const ID_UNITS_MAX = 200;

/** Names the near-duplicates of a document for people and models; empty where it has none. Free of control characters. */
export function sameText(duplicates: readonly DocumentName[]): string {
  if (duplicates.length === 0) return "";
  const named = duplicates.slice(0, NAMED_MAX).map(({ id }) => oneLine(stripControl(id), ID_UNITS_MAX));
  const more = duplicates.length > NAMED_MAX ? `, and ${duplicates.length - NAMED_MAX} more` : "";
  return `Same text: ${named.join(", ")}${more}`;
}
