import type { RecordHeader } from "../../record/events.ts";
import type { Profile } from "../profiles/profile.ts";
import { PLACEHOLDER } from "../profiles/prompt-template.ts";
import { escapeLookalikes } from "./blocks.ts";

/** The first message of a run: the profile's template with the question and the caller's steering filled in. */
export function initialPrompt(header: RecordHeader, profile: Profile): string {
  const values: Readonly<Record<string, string>> = {
    query: escapeLookalikes(header.query),
    documentsMax: String(header.documentsMax),
    date: new Date(header.at).toISOString().slice(0, 10),
    steering: steeringLines(header),
  };
  return profile.prompt.replace(PLACEHOLDER, (whole, name: string) => values[name] ?? whole);
}

function steeringLines(header: RecordHeader): string {
  const { where, known, exclude } = header.steering;
  const lines: string[] = [];
  if (where.length > 0) lines.push(`Only documents with ${where.join(" and ")} are searched.`);
  if (known.length > 0)
    lines.push(`The caller knows these documents already; do not return them: ${known.join(", ")}.`);
  if (exclude.length > 0) lines.push(`${exclude.length} documents are excluded by the caller.`);
  if (header.corpora.length > 1) lines.push(`Corpora: ${header.corpora.map((corpus) => corpus.name).join(", ")}.`);
  return lines.length === 0 ? "" : `\n${lines.join("\n")}\n`;
}
