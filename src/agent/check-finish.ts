import { oneLine } from "../core/text.ts";
import type { FinishCall } from "./conclude.ts";
import type { Context } from "./context/context.ts";
import type { Profile } from "./profiles/profile.ts";
import { findQuote, isQuote } from "./quotes.ts";
import type { Constraint } from "./tools/constraints.ts";

/** Entries that one complaint names. */
const NAMED_MAX = 4;
const NAME_UNITS_MAX = 40;
const CONSTRAINT_NAME_UNITS_MAX = 60;

/** What a final list lacks, by what the policy wrote. */
export interface FinishGaps {
  /** Ids of entries without a quote. */
  readonly unquoted: readonly string[];
  /** Ids of entries whose quote the run has not shown. */
  readonly misquoted: readonly string[];
  readonly constraints: readonly Constraint[];
}

/** Compares a list with what the run has shown. Without coverage of its own, the policy's notes stand for it. */
export function finishGaps(finish: FinishCall, context: Context, profile: Profile): FinishGaps {
  if (profile.finishEvidence !== "checked") return { unquoted: [], misquoted: [], constraints: [] };
  const unquoted: string[] = [];
  const misquoted: string[] = [];
  for (const { id, quote } of finish.documents) {
    const document = context.document(id);
    if (document === undefined) continue;
    if (!isQuote(quote)) unquoted.push(id);
    else if (findQuote(quote, document, context) === undefined) misquoted.push(id);
  }
  return { unquoted, misquoted, constraints: finish.coverage ?? context.notedConstraints() };
}

/** Why the list goes back to the policy, as one short text that it can act on; undefined when there is no reason. */
export function finishComplaint({ unquoted, misquoted, constraints }: FinishGaps): string | undefined {
  const open = constraints.filter(({ status }) => status === "open").map(quoted);
  const parts: string[] = [];
  if (misquoted.length > 0) {
    parts.push(`Not in the text you were shown: the quotes of ${named(misquoted)}. Copy the words exactly.`);
  }
  if (unquoted.length > 0) parts.push(`A sentence to quote is missing for ${named(unquoted)}.`);
  if (open.length > 0) parts.push(`Still open: ${named(open)}. Search for it, or give its status in coverage.`);
  return parts.length === 0 ? undefined : parts.join(" ");
}

/** What the caller should know of a list that was taken as it is. */
export function finishNotices({ unquoted, misquoted, constraints }: FinishGaps): { code: string; message: string }[] {
  const notices: { code: string; message: string }[] = [];
  const wrong = misquoted.length + unquoted.length;
  if (wrong > 0) {
    const what = wrong === 1 ? "1 document of the list has" : `${wrong} documents of the list have`;
    notices.push({ code: "not_quoted", message: `${what} no quote that stands in the text shown.` });
  }
  const lacking = constraints.filter(({ status }) => status !== "supported");
  if (lacking.length > 0) {
    const list = lacking.map((constraint) => `${quoted(constraint)} (${constraint.status})`);
    notices.push({ code: "not_supported", message: `Not supported, by the policy's account: ${list.join(", ")}.` });
  }
  return notices;
}

const quoted = ({ constraint }: Constraint): string => `"${oneLine(constraint, CONSTRAINT_NAME_UNITS_MAX)}"`;

function named(names: readonly string[]): string {
  const shown = names
    .slice(0, NAMED_MAX)
    .map((name) => oneLine(name, Math.max(NAME_UNITS_MAX, CONSTRAINT_NAME_UNITS_MAX + 2)));
  return names.length > NAMED_MAX ? `${shown.join(", ")} and ${names.length - NAMED_MAX} more` : shown.join(", ");
}
