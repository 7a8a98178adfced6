import { toWinnowError } from "../../core/errors.ts";
import { oneLine, plural } from "../../core/text.ts";
import { type CorpusStatus, corpusStatus } from "../../features/corpus-status.ts";
import { type CorpusPlace, locateCorpora } from "../../features/open-corpora.ts";
import type { Output } from "../output.ts";
import type { CommandRun } from "../program.ts";
import { redactedText } from "../redacted-text.ts";
import { commandContext } from "../scope.ts";
import { shownPlace } from "../shown-place.ts";
import { inLine } from "../terminal-text.ts";

export const run: CommandRun = async (_args, options, scope) => {
  const { corpusScope } = await commandContext(scope);
  const looks = await Promise.all((await locateCorpora(corpusScope)).map(look));
  const { output } = scope;
  const corpora = looks.flatMap((one) => ("status" in one ? [one.status] : []));
  const failed = looks.flatMap((one) => ("status" in one ? [] : [one]));
  if (output.json) {
    output.printJson({ schema: "status/1", corpora, ...(failed.length > 0 && { failed }) });
    return 0;
  }
  for (const status of corpora) print(status, options["skipped"] === true, output);
  for (const { name, message, hint } of failed) {
    output.print(`${output.style("bold", inLine(name))}  ${output.style("yellow", inLine(message))}`);
    if (hint !== undefined) output.print(`  ${inLine(hint)}`);
  }
  return 0;
};

interface Failed {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** A published index that nobody asked for may fail without hiding the others. */
async function look(place: CorpusPlace): Promise<{ readonly status: CorpusStatus } | Failed> {
  try {
    return { status: await corpusStatus(place) };
  } catch (error) {
    if (place.published === undefined || place.published.isAsked) throw error;
    const { code, message, hint } = toWinnowError(error);
    return { name: place.name, code, message, ...(hint === undefined ? {} : { hint }) };
  }
}

const STATES = {
  fresh: "unchanged since",
  changed: "CHANGED since: run winnow index",
  gone: "NOT THERE any more",
  unknown: "whether it changed since shows winnow index",
  refused: "LEFT OUT, nobody has agreed to have it read: winnow index says more",
} as const;

function attachedLine({ role, records, scannedAt, state }: NonNullable<CorpusStatus["attached"]>): string {
  if (records === null) return `${role}; its words are not indexed to their end: run winnow index`;
  return `${role}, ${plural(records, "record")} of ${scannedAt ?? "an unknown time"}; ${STATES[state]}`;
}

function publishedLine({ publishedAt, mirror, unreachable }: NonNullable<CorpusStatus["published"]>): string {
  const state = `${publishedAt}, mirrored in ${shownPlace(mirror)}`;
  return unreachable === undefined ? state : `${state}; NOT REACHED NOW: ${inLine(unreachable)}`;
}

function print(status: CorpusStatus, all: boolean, output: Output): void {
  const row = (label: string, value: string): void => output.print(`  ${label.padEnd(12)}${value}`);
  output.print(`${output.style("bold", inLine(status.name))}  ${output.style("dim", inLine(status.location))}`);
  row(
    "documents",
    `${status.documents.toLocaleString("en-US")} in ${plural(status.chunks, "chunk")}, ${status.tokens.toLocaleString("en-US")} tokens`,
  );
  row(
    "items",
    `${status.items.indexed.toLocaleString("en-US")} indexed, ${status.items.skipped} skipped, ${status.items.failed} failed`,
  );
  row(
    "sources",
    status.sources
      .map(({ type, roots }) => `${type}: ${roots.map((root) => (root === "" ? "." : inLine(root))).join(", ")}`)
      .join("; "),
  );
  row("updated", `${status.updatedAt} (generation ${status.generation})`);
  row("vectors", status.attached?.embedder ?? status.embedder ?? "none: searched by words only");
  row("store", status.store);
  if (status.copiedFrom !== undefined) row("copy of", inLine(status.copiedFrom));
  if (status.published !== undefined) row("published", publishedLine(status.published));
  if (status.attached !== undefined) row("attached", attachedLine(status.attached));
  row(
    "state",
    status.ready
      ? "ready"
      : output.style("yellow", `${plural(status.unindexed, "row")} wait for the index: run winnow index`),
  );
  if (status.writing) row("writer", "another process is writing, or one died; winnow index takes over");
  row("runs", String(status.runs));
  const reasons = Object.entries(status.skippedByReason).sort(([, a], [, b]) => b - a);
  if (reasons.length > 0)
    row("skipped", reasons.map(([reason, count]) => `${count} ${reason.replaceAll("_", " ")}`).join(", "));
  const redacted = redactedText(status.redacted);
  if (redacted !== "") row("redacted", redacted);
  if (status.notes.length > 0) row("notes", `${status.notes.length.toLocaleString("en-US")} on indexed items`);
  if (!all) {
    if (reasons.length + status.notes.length > 0)
      output.say(output.style("dim", "  winnow status --skipped lists them."));
    return;
  }
  for (const { key, reason, detail } of status.skipped) {
    output.print(
      `  ${output.style("yellow", reason.replaceAll("_", " ").padEnd(17))} ${oneLine(inLine(key), 200)}  ${output.style("dim", oneLine(inLine(detail), 120))}`,
    );
  }
  for (const { key, note } of status.notes) {
    output.print(
      `  ${output.style("cyan", "note".padEnd(17))} ${oneLine(inLine(key), 200)}  ${output.style("dim", oneLine(inLine(note), 120))}`,
    );
  }
}
