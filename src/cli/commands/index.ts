import { resolve } from "node:path";
import { WinnowError } from "../../core/errors.ts";
import { plural } from "../../core/text.ts";
import {
  type EmbedderChoice,
  type IndexProgress,
  type IndexSummary,
  indexCorpus,
} from "../../features/index-corpus.ts";
import { targetFolder } from "../../features/open-corpora.ts";
import type { Output } from "../output.ts";
import type { CommandRun } from "../program.ts";
import { commandContext, textOption } from "../scope.ts";
import { shownPlace } from "../shown-place.ts";

const MEGABYTE = 1_000_000;
/** Some items could not be read: the index is good, but not whole. */
const PARTIAL_EXIT = 3;

export const run: CommandRun = async (args, options, scope) => {
  const type = textOption(options, "source") ?? "files";
  if (type !== "files") {
    throw new WinnowError("invalid_argument", `There is no source "${type}".`, { hint: "Sources: files." });
  }
  const { corpusScope } = await commandContext(scope);
  const folder = await targetFolder(corpusScope);
  const { output, signal } = scope;
  const summary = await indexInto(
    folder,
    args.map((path) => resolve(path)),
    { output, signal, rebuild: options["rebuild"] === true, ...embedderOf(options) },
  );
  if (output.json) output.printJson({ schema: "index/1", folder, ...summary });
  else printSummary(summary, folder, output);
  return summary.failed > 0 ? PARTIAL_EXIT : 0;
};

function embedderOf(options: Readonly<Record<string, unknown>>): { readonly embedder?: EmbedderChoice } {
  const spec = textOption(options, "embedder");
  if (spec === undefined) return {};
  return { embedder: { spec, baseUrl: textOption(options, "baseUrl"), apiKeyEnv: textOption(options, "apiKeyEnv") } };
}

/** Indexes with a line of progress that is redrawn. */
export function indexInto(
  folder: string,
  paths: readonly string[],
  scope: {
    readonly output: Output;
    readonly signal: AbortSignal;
    readonly rebuild?: boolean;
    readonly embedder?: EmbedderChoice;
  },
): Promise<IndexSummary> {
  const { rebuild = false, embedder, signal } = scope;
  return indexCorpus(
    { folder, paths, rebuild, signal, ...(embedder && { embedder }) },
    { onProgress: (progress) => scope.output.progress(progressLine(progress)) },
  );
}

function progressLine(progress: IndexProgress): string {
  const { phase, itemsDone, itemsTotal, chunks, bytesPerSecond } = progress;
  if (phase === "listing") return `listing: ${plural(itemsTotal, "item")}`;
  if (phase === "optimizing") return `building the index over ${plural(chunks, "new chunk")}`;
  const rate = bytesPerSecond > 0 ? `, ${(bytesPerSecond / MEGABYTE).toFixed(1)} MB/s` : "";
  return `indexing: ${itemsDone} of ${plural(itemsTotal, "item")}, ${plural(chunks, "chunk")}${rate}`;
}

export function printSummary(summary: IndexSummary, folder: string, output: Output): void {
  const changes = [
    [summary.added, "added"],
    [summary.changed, "changed"],
    [summary.renamed, "renamed"],
    [summary.removed, "removed"],
    [summary.unchanged, "unchanged"],
  ] as const;
  const told = changes.flatMap(([count, word]) => (count > 0 ? [`${count.toLocaleString("en-US")} ${word}`] : []));
  const rate = summary.bytes > 0 && summary.seconds > 0 ? ` (${(summary.bytes / MEGABYTE).toFixed(1)} MB of text)` : "";
  output.print(
    `${plural(summary.documents, "document")} in ${plural(summary.chunks, "chunk")}; ${told.length === 0 ? "nothing to do" : told.join(", ")}${rate}, ${summary.seconds.toFixed(1)} s`,
  );
  const skipped = Object.entries(summary.skipped).sort(([, a], [, b]) => b - a);
  if (skipped.length > 0) {
    output.say(
      output.style(
        "dim",
        `skipped: ${skipped.map(([reason, count]) => `${count} ${reason.replaceAll("_", " ")}`).join(", ")} (winnow status --skipped lists them)`,
      ),
    );
  }
  for (const { key, message } of summary.failures) output.say(output.style("yellow", `failed: ${key}: ${message}`));
  for (const notice of summary.notices) output.say(output.style("yellow", `note: ${notice}`));
  output.say(output.style("dim", `index: ${shownPlace(folder)}`));
}
