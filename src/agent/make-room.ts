import type { EditEvent } from "../record/events.ts";
import type { Session } from "./session.ts";

/** Upper estimate of what a stub of a pruned chunk costs, tokens. */
const STUB_TOKENS = 30;

/**
 * Prunes the chunks that have been in the context longest until at most `targetTokens` are in use. True when that many
 * are. Leaves everything that is not a chunk alone, so it can fail.
 */
export function pruneOldest(session: Session, targetTokens: number, by: EditEvent["by"]): boolean {
  for (;;) {
    const over = session.used - targetTokens;
    if (over <= 0) return true;
    const pruned: string[] = [];
    let freed = 0;
    let gained = 0;
    for (const { shown, tokens } of session.context.visible()) {
      if (gained >= over) break;
      pruned.push(shown.key);
      freed += tokens;
      gained += Math.max(1, tokens - (session.options.profile.pruneLeaves === "stub" ? STUB_TOKENS : 0));
    }
    if (pruned.length === 0) return false;
    session.emit({ type: "edit", by, pruned, tokensFreed: freed, unknown: [] });
  }
}
