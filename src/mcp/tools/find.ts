import { z } from "zod";
import { plural } from "../../core/text.ts";
import { findInWorkspace } from "../../features/ask-workspace.ts";
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
import { documentBlock, listedDocuments, noticeLines } from "../../features/callers/listed-documents.ts";
import type { Workspace } from "../../features/workspace.ts";
import type { ToolDefinition } from "../register-tool.ts";

const DOCUMENTS = 5;

const input = z.object({
  query: questionText.describe("Words or a phrase; with mode grep a regular expression (RE2, no look-around)."),
  mode: z
    .enum(["hybrid", "lexical", "dense", "grep"])
    .optional()
    .describe("hybrid (default) by words and meaning; lexical by words; dense by meaning; grep by pattern."),
  corpora,
  documents: documentsMax(DOCUMENTS, 30),
  where,
  since,
  exclude: documentNames("Documents to leave out, by place or id."),
});

const output = z.object({
  query: z.string(),
  mode: z.string(),
  corpora: z.array(z.string()),
  documents: z.array(listedDocument),
  matchesTotal: z.number().int().optional().describe("Grep only: all matches, shown or not."),
  notices,
});

/** One query, without an agent. */
export function findTool(workspace: Workspace): ToolDefinition<typeof input, typeof output> {
  return {
    name: "find",
    title: "Find by one query",
    description:
      "Looks up words, a phrase or a pattern at once: an error message, a name, an identifier. Fast. For a question that needs more than one document use `search`.",
    input,
    output,
    async run(arguments_, { signal }) {
      const found = await findInWorkspace(workspace, {
        ...arguments_,
        documents: arguments_.documents ?? DOCUMENTS,
        signal,
      });
      const structured = {
        query: found.query,
        mode: found.mode,
        corpora: [...found.corpora],
        documents: listedDocuments(found.documents, () => "", workspace.folder),
        ...(found.matchesTotal === undefined ? {} : { matchesTotal: found.matchesTotal }),
        notices: found.notices.map(({ message }) => message),
      };
      const total =
        found.matchesTotal === undefined ? "" : ` (${plural(found.matchesTotal, "match", "matches")} in all)`;
      const text = [
        structured.documents.length === 0
          ? "Nothing found. Try other words, or `search` with a whole question."
          : `${plural(structured.documents.length, "document")}${total}:`,
        ...structured.documents.map(documentBlock),
        ...noticeLines(structured.notices),
      ].join("\n\n");
      return { text, structured };
    },
  };
}
