import { z } from "zod";
import { stripControl } from "../../core/text.ts";
import { briefInWorkspace } from "../../features/ask-workspace.ts";
import type { BriefDocument } from "../../features/brief-task.ts";
import { citation, corpora, notices, questionText, since, where } from "../../features/callers/input-schemas.ts";
import { noticeLines } from "../../features/callers/listed-documents.ts";
import { citationLine, citationOf } from "../../features/citation.ts";
import type { Workspace } from "../../features/workspace.ts";
import type { ToolDefinition } from "../register-tool.ts";

const briefed = z.object({
  id: z.string(),
  corpus: z.string(),
  title: z.string(),
  ...citation,
  about: z.string().describe("Its first telling line."),
  why: z.string(),
});

const input = z.object({
  task: questionText.describe('What you are about to do, e.g. "move the billing jobs to the new queue".'),
  corpora,
  where,
  since,
});

const output = z.object({
  task: z.string(),
  load: z.array(briefed).describe("Read these before you begin."),
  keep: z.array(briefed).describe("Open these when the work touches them."),
  ignore: z.array(briefed).describe("They look related and are not, or have been superseded."),
  notices,
});

/** The working set of a task, in three groups. */
export function briefTool(workspace: Workspace): ToolDefinition<typeof input, typeof output> {
  return {
    name: "brief",
    title: "Working set for a task",
    description:
      "Sorts the documents that bear on a task into three groups: load before you begin, keep at hand, ignore. Call it once at the start of a piece of work.",
    input,
    output,
    async run(arguments_, { signal }) {
      const { folder } = workspace;
      const brief = await briefInWorkspace(workspace, { ...arguments_, signal });
      const structured = {
        task: brief.task,
        load: brief.load.map((document) => shown(document, folder)),
        keep: brief.keep.map((document) => shown(document, folder)),
        ignore: brief.ignore.map((document) => shown(document, folder)),
        notices: brief.notices.map(({ message }) => message),
      };
      const text = [
        group("Load before you begin", structured.load),
        group("Keep at hand", structured.keep),
        group("Ignore", structured.ignore),
        ...noticeLines(structured.notices),
      ].join("\n\n");
      return { text, structured };
    },
  };
}

function shown({ id, corpus, uri, line, title, repository, date, about, why }: BriefDocument, folder: string) {
  const metadata = {
    ...(repository === undefined ? {} : { repository }),
    ...(date === undefined ? {} : { modified: date }),
  };
  const cited = citationOf({ id, uri, line, metadata }, folder);
  return { id, corpus, title: stripControl(title), ...cited, about: stripControl(about), why: stripControl(why) };
}

function group(name: string, documents: readonly z.input<typeof briefed>[]): string {
  const lines = documents.map((document) =>
    [
      `- ${document.title}`,
      `  ${citationLine(document)}`,
      ...[document.about, document.why].filter(Boolean).map((line) => `  ${line}`),
    ].join("\n"),
  );
  return [`${name} (${documents.length})`, ...lines].join("\n");
}
