import type { ContextSettings } from "../../../models/harmony/context-conversation.ts";
import type { ReasoningEffort } from "../../../models/harmony/conversation.ts";
import type { Profile } from "../../profiles/profile.ts";
import type { ToolSchema } from "../../tools/tool-schemas.ts";

/** What of a run decides how its contexts are written in harmony. */
export interface HarmonyScope {
  readonly tools: readonly ToolSchema[];
  readonly conclusion: Profile["conclusion"];
  /** ISO date for the system message; null for none. */
  readonly date: string | null;
  /** Default `high`, as Context-1 was trained. */
  readonly effort?: ReasoningEffort | undefined;
}

/**
 * How a profile's contexts are written in harmony: its tools, and for the profiles of Context-1 the form of calls and
 * results that its published harness has. The policy and `winnow render` both go by this.
 */
export async function harmonySettings({
  tools,
  conclusion,
  date,
  effort = "high",
}: HarmonyScope): Promise<ContextSettings> {
  const { PLAIN_LAYOUT, PUBLISHED_LAYOUT } = await import("../../../models/harmony/context-conversation.ts");
  const layout = conclusion === "document_elements" ? PUBLISHED_LAYOUT : PLAIN_LAYOUT;
  return { tools, date, effort, layout };
}
