import { z } from "zod";
import { oneLine, plural, stripControl } from "../../core/text.ts";
import { recentInWorkspace } from "../../features/ask-workspace.ts";
import { citation, corpora, documentsMax, notices, where } from "../../features/callers/input-schemas.ts";
import { noticeLines } from "../../features/callers/listed-documents.ts";
import { citationLine, citationOf } from "../../features/citation.ts";
import { RECENT_DAYS } from "../../features/recent-documents.ts";
import type { Workspace } from "../../features/workspace.ts";
import type { ToolDefinition } from "../register-tool.ts";

const DOCUMENTS = 40;
const LINE_UNITS_MAX = 160;

const input = z.object({
  since: z
    .string()
    .max(40)
    .optional()
    .describe(`ISO date, whole or in part, e.g. 2026-05; the last ${RECENT_DAYS} days by default.`),
  corpora,
  where,
  documents: documentsMax(DOCUMENTS, 200),
});

const output = z.object({
  since: z.string(),
  moved: z.number().int().describe("All that moved, shown or not."),
  truncated: z.boolean(),
  undated: z.number().int().describe("Documents without a date, of which nobody can say whether they moved."),
  documents: z.array(
    z.object({ id: z.string(), corpus: z.string(), title: z.string(), tag: z.string(), ...citation, line: z.string() }),
  ),
  notices,
});

/** What moved since a date. */
export function recentTool(workspace: Workspace): ToolDefinition<typeof input, typeof output> {
  return {
    name: "recent",
    title: "What moved",
    description:
      "Lists what changed since a date, the most recent first, with repository and tag. For catching up at the start of a session, and for what was shipped when.",
    input,
    output,
    async run(arguments_, { signal }) {
      const recent = await recentInWorkspace(workspace, {
        ...arguments_,
        documents: arguments_.documents ?? DOCUMENTS,
        signal,
      });
      const documents = recent.groups.flatMap(({ repository, tags }) =>
        tags.flatMap(({ tag, documents: tagged }) =>
          tagged.map((document) => {
            const metadata = { modified: document.date, ...(repository === "" ? {} : { repository }) };
            const cited = citationOf({ ...document, line: 1, metadata }, workspace.folder);
            const line = oneLine(stripControl(document.superseded ?? document.line), LINE_UNITS_MAX);
            return {
              id: document.id,
              corpus: document.corpus,
              title: stripControl(document.title),
              tag,
              ...cited,
              line,
            };
          }),
        ),
      );
      const structured = {
        since: recent.since,
        moved: recent.documents,
        truncated: recent.truncated,
        undated: recent.undated,
        documents,
        notices: recent.notices.map(({ message }) => message),
      };
      return { text: recentText(structured), structured };
    },
  };
}

function recentText({ since, moved, truncated, undated, documents, notices: said }: z.input<typeof output>): string {
  const cut = `NOT ALL SHOWN: the newest ${documents.length} of ${moved}.`;
  return [
    `${moved === 0 ? "Nothing" : plural(moved, "document")} moved since ${since.slice(0, 10)}.`,
    ...(truncated ? [cut] : []),
    ...documents.map((document) => {
      const tag = document.tag === "" ? "" : ` [${document.tag}]`;
      return `- ${document.title}${tag}\n  ${citationLine(document)}${document.line === "" ? "" : `\n  ${document.line}`}`;
    }),
    ...(truncated ? [cut] : []),
    ...(undated === 0 ? [] : [`${plural(undated, "document")} without a date left out.`]),
    ...noticeLines(said),
  ].join("\n");
}
