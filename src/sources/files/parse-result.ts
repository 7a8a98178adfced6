import type { SourceDocument } from "../../core/types.ts";
import type { SkipReason } from "../source.ts";

/** What reading the text of one file gives: its documents, or why there are none. */
export type Parsed =
  | { readonly documents: readonly SourceDocument[]; readonly notes: readonly string[] }
  | { readonly reason: SkipReason; readonly detail: string };

export const EMPTY: Parsed = { reason: "empty", detail: "It holds no text." };

export function tooManyRows(rowsMax: number): Parsed {
  return { reason: "too_many_rows", detail: `It has more than ${rowsMax.toLocaleString("en-US")} rows.` };
}

export function tooDeep(depth: number, depthMax: number): Parsed {
  const [found, limit] = [depth.toLocaleString("en-US"), depthMax.toLocaleString("en-US")];
  return { reason: "too_deep", detail: `It nests ${found} levels deep; the limit is ${limit}.` };
}
