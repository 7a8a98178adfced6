import { z } from "zod";
import {
  corpora,
  documentNames,
  documentsMax,
  listedDocument,
  notices,
  questionText,
  since,
  where,
} from "../../features/callers/input-schemas.ts";
import { progressLine, searchAnswer, searchAnswerText } from "../../features/callers/search-answer.ts";
import { searchWorkspace } from "../../features/search-workspace.ts";
import type { Workspace } from "../../features/workspace.ts";
import type { ToolDefinition } from "../register-tool.ts";

const DOCUMENTS = 8;

const input = z.object({
  question: questionText.describe("A whole question, as a person would ask it."),
  corpora,
  documents: documentsMax(DOCUMENTS, 30),
  where,
  since,
  exclude: documentNames("Documents to leave out, by place or id."),
  known: documentNames("Documents that you have read already: they may be built on, and are not listed again."),
});

const output = z.object({
  question: z.string(),
  corpora: z.array(z.string()),
  outcome: z
    .enum(["found", "partial", "abstained"])
    .describe("abstained: nothing in the corpus supports the question."),
  stopReason: z.string(),
  documents: z.array(listedDocument),
  notices,
  runId: z.string().describe("`winnow show RUN` shows how the list came about."),
  turns: z.number().int(),
  promptTokens: z.number().int(),
});

/** A run of the agent, under the policy and with the limits of the configuration. */
export function searchTool(workspace: Workspace): ToolDefinition<typeof input, typeof output> {
  return {
    name: "search",
    title: "Search by several hops",
    description:
      "Finds the documents that answer a question, also one that needs several of them: an agent searches, follows what it finds, and returns a short ranked list with the passages that matter, each with path, date and repository. Takes seconds. Use `find` for a single word or phrase.",
    input,
    output,
    async run(arguments_, { signal, progress }) {
      const run = await searchWorkspace(workspace, {
        ...arguments_,
        documents: arguments_.documents ?? DOCUMENTS,
        signal,
      });
      for await (const event of run) {
        const line = progressLine(event);
        if (line !== undefined) progress(line);
      }
      const answer = searchAnswer(await run.result, workspace.folder);
      return {
        text: searchAnswerText(answer),
        structured: {
          ...answer,
          corpora: [...answer.corpora],
          documents: [...answer.documents],
          notices: [...answer.notices],
        },
      };
    },
  };
}
