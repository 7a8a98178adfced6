import { z } from "zod";
import { plural } from "../../core/text.ts";
import { corporaOfWorkspace } from "../../features/ask-workspace.ts";
import type { Workspace } from "../../features/workspace.ts";
import type { ToolDefinition } from "../register-tool.ts";

const output = z.object({
  corpora: z.array(
    z.object({
      name: z.string(),
      documents: z.number().int(),
      chunks: z.number().int(),
      updatedAt: z.string().describe("When the index was last brought up to date, ISO 8601."),
      writing: z.boolean().describe("Whether it is being indexed right now."),
      skipped: z.number().int().describe("Items that are not indexed; `winnow status --skipped` says why."),
      attached: z.boolean().describe("Whether it is a Chroma collection that is searched as it is."),
      keys: z.array(z.string()).describe("Metadata keys that filters can name."),
    }),
  ),
});

/** What can be searched, and how fresh it is. */
export function corporaTool(workspace: Workspace): ToolDefinition<z.ZodObject<Record<never, never>>, typeof output> {
  return {
    name: "corpora",
    title: "Corpora and their state",
    description: "Lists what can be searched here: corpora with their size, age and metadata keys.",
    input: z.object({}),
    output,
    async run() {
      const corpora = await corporaOfWorkspace(workspace);
      const text = corpora.map(
        ({ name, documents, chunks, updatedAt, writing, skipped, keys }) =>
          `${name}: ${plural(documents, "document")}, ${plural(chunks, "chunk")}, indexed ${updatedAt === "" ? "never" : updatedAt}${writing ? ", being indexed now" : ""}${skipped === 0 ? "" : `, ${skipped} skipped`}\n  keys: ${keys.join(", ")}`,
      );
      return {
        text: text.join("\n"),
        structured: { corpora: corpora.map((corpus) => ({ ...corpus, keys: [...corpus.keys] })) },
      };
    },
  };
}
