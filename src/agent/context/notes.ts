import { truncate } from "../../core/text.ts";
import type { TokenCounter } from "../../core/token-counter.ts";
import type { RecordedCall } from "../../record/events.ts";
import { offeredTools, type Profile } from "../profiles/profile.ts";
import { checkCall } from "../tools/call-arguments.ts";
import type { Constraint } from "../tools/constraints.ts";
import { textBlock } from "./blocks.ts";
import { escapeLookalikes } from "./lookalikes.ts";
import type { Block } from "./rendered.ts";

const HEADING = "Your notes, as you last wrote them:";
const CUT_LINE = "[The rest of your notes did not fit: write shorter ones.]";
/** Cutting by length comes close to a number of tokens, and ends below it after a few steps. */
const CUT_SHARE = 0.95;

/** What a policy last wrote down. */
export interface Notes {
  readonly constraints: readonly Constraint[];
  readonly block: Block;
}

/** The notes that these calls leave behind: the last valid `update_notes`, or undefined when there is none. */
export function notesOf(calls: readonly RecordedCall[], profile: Profile, counter: TokenCounter): Notes | undefined {
  const { notesTokensMax } = profile;
  if (notesTokensMax === undefined) return undefined;
  const offered = offeredTools(profile);
  let notes: Notes | undefined;
  for (const recorded of calls) {
    if (recorded.tool !== "update_notes") continue;
    const check = checkCall(recorded, offered);
    if (!("call" in check) || check.call.tool !== "update_notes") continue;
    const { constraints, text } = check.call;
    notes = { constraints, block: notesBlock(constraints, text, notesTokensMax, counter) };
  }
  return notes;
}

/** At most `tokensMax` tokens, unless the heading alone has more. */
function notesBlock(constraints: readonly Constraint[], text: string, tokensMax: number, counter: TokenCounter): Block {
  const lines = constraints.map(({ constraint, status, ids }) => {
    const where = ids.length === 0 ? "" : ` (${ids.join(", ")})`;
    return `- [${status}] ${constraint}${where}`;
  });
  // A model may copy what a document says into its notes, and they stand among our own lines.
  let body = escapeLookalikes([...lines, text.trim()].join("\n").trim());
  let block = textBlock(`${HEADING}\n${body}`, counter, "notes");
  while (block.tokens > tokensMax && body !== "") {
    const units = Math.floor(body.length * Math.min(CUT_SHARE, tokensMax / block.tokens));
    // An ellipsis alone says nothing, and cannot become shorter.
    body = units > 1 ? truncate(body, units).trimEnd() : "";
    block = textBlock([HEADING, body, CUT_LINE].filter((line) => line !== "").join("\n"), counter, "notes");
  }
  return block;
}
