import { z } from "zod";
import { plural } from "../../core/text.ts";
import { corporaOfWorkspace, type ListedCorpus } from "../../features/ask-workspace.ts";
import { listedCorpus } from "../../features/callers/listed-corpus.ts";
import type { Workspace } from "../../features/workspace.ts";
import type { ToolDefinition } from "../register-tool.ts";

const output = z.object({ corpora: z.array(listedCorpus) });

/** What can be searched, and how fresh it is. */
export function corporaTool(workspace: Workspace): ToolDefinition<z.ZodObject<Record<never, never>>, typeof output> {
  return {
    name: "corpora",
    title: "Corpora and their state",
    description: "Lists what can be searched here: corpora with their size, age, state and metadata keys.",
    input: z.object({}),
    output,
    async run() {
      const corpora = await corporaOfWorkspace(workspace);
      return { text: corpora.map(described).join("\n"), structured: { corpora } };
    },
  };
}

function described(corpus: ListedCorpus): string {
  const { name, documents, chunks, updatedAt, writing, ready, skipped, skippedByReason, redacted, words, keys } =
    corpus;
  const reasons = Object.entries(skippedByReason).map(([reason, count]) => `${reason} ${count}`);
  const secrets = Object.values(redacted).reduce((sum, count) => sum + count, 0);
  const facts = [
    `${plural(documents, "document")}, ${plural(chunks, "chunk")}, indexed ${updatedAt === "" ? "never" : updatedAt}`,
    ...(writing ? ["being indexed now"] : []),
    ...(ready ? [] : ["not all chunks are in the indexes yet"]),
    ...(words === null ? [] : [`attached, words of ${words.scannedAt ?? "no time yet"}, ${words.state}`]),
    ...(skipped === 0 ? [] : [`${skipped} not indexed (${reasons.join(", ")})`]),
    ...(secrets === 0 ? [] : [`${plural(secrets, "secret")} replaced`]),
  ];
  return `${name}: ${facts.join(", ")}\n  keys: ${keys.join(", ")}`;
}
