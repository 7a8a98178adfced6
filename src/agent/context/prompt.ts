import type { RecordHeader } from "../../record/events.ts";
import type { Profile } from "../profiles/profile.ts";
import { PLACEHOLDER } from "../profiles/prompt-template.ts";
import { escapeLookalikes } from "./lookalikes.ts";

/** The first message of a run: the profile's template with the question and the caller's steering filled in. */
export function initialPrompt(header: RecordHeader, profile: Profile): string {
  const values: Readonly<Record<string, string>> = {
    query: escapeLookalikes(header.query),
    documentsMax: String(header.documentsMax),
    date: new Date(header.at).toISOString().slice(0, 10),
    steering: escapeLookalikes(steeringLines(header)),
  };
  return profile.prompt.replace(PLACEHOLDER, (whole, name: string) => values[name] ?? whole);
}

function steeringLines(header: RecordHeader): string {
  const { where, known, exclude } = header.steering;
  const lines: string[] = [];
  if (where.length > 0) lines.push(`Only documents with ${where.map(inLine).join(" and ")} are searched.`);
  if (known.length > 0)
    lines.push(`The caller knows these documents already; do not return them: ${known.map(inLine).join(", ")}.`);
  if (exclude.length > 0) lines.push(`${exclude.length} documents are excluded by the caller.`);
  if (header.corpora.length > 1)
    lines.push(`Corpora: ${header.corpora.map((corpus) => inLine(corpus.name)).join(", ")}.`);
  return lines.length === 0 ? "" : `\n${lines.join("\n")}\n`;
}

/** Documents and corpora may be named with line ends, as files may. */
function inLine(name: string): string {
  return name.replace(/[\n\r\v\f\u0085\u2028\u2029]+/g, " ");
}
