import { z } from "zod";
import { stripControl } from "../../core/text.ts";
import { readInWorkspace } from "../../features/ask-workspace.ts";
import { citation, corpora } from "../../features/callers/input-schemas.ts";
import { citationLine, citationOf } from "../../features/citation.ts";
import type { Workspace } from "../../features/workspace.ts";
import type { ToolDefinition } from "../register-tool.ts";

/** UTF-16 units of one answer, about 6,000 tokens. */
const TEXT_UNITS_MAX = 24_000;

const input = z.object({
  document: z.string().min(1).max(2_000).describe("A place or an id, as `search` and `find` give them."),
  lines: z
    .string()
    .max(40)
    .optional()
    .describe('Lines, for example "10-40"; from the place\'s own line on by default.'),
  corpora,
});

const output = z.object({
  id: z.string(),
  corpus: z.string(),
  title: z.string(),
  ...citation,
  from: z.number().int().describe("First line of the text, from 1."),
  to: z.number().int().describe("Last line of the text."),
  linesTotal: z.number().int(),
  text: z.string(),
  next: z.string().optional().describe("Lines to ask for next where the text was cut."),
});

/** A document as it was indexed, or some of its lines. */
export function readTool(workspace: Workspace): ToolDefinition<typeof input, typeof output> {
  return {
    name: "read",
    title: "Read a document",
    description: "Reads a document as it was indexed, or some of its lines. Long ones come in parts.",
    input,
    output,
    async run(arguments_) {
      const { id, corpus, uri, title, metadata, lines, linesTotal, next, ...part } = await readInWorkspace(workspace, {
        ...arguments_,
        unitsMax: TEXT_UNITS_MAX,
      });
      const { from, to } = lines;
      const text = stripControl(part.text);
      const cited = citationOf({ id, uri, metadata, line: from }, workspace.folder);
      const structured = {
        ...{ id, corpus, title: stripControl(title), ...cited, from, to, linesTotal, text },
        ...(next === undefined ? {} : { next }),
      };
      const heading = `${structured.title}\n${citationLine(cited)}\nlines ${from}-${to} of ${linesTotal}`;
      const rest = next === undefined ? "" : `\n\n(cut; go on with lines "${next}")`;
      return { text: `${heading}\n\n${text}${rest}`, structured };
    },
  };
}
