import { resolve } from "node:path";
import { type BuiltEntry, isAttachedName } from "../../config/corpora.ts";
import { SOURCES as sourceTypes } from "../../config/source-types.ts";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import { didYouMean } from "../../core/suggest.ts";
import { plural } from "../../core/text.ts";
import { grantLeave, type Leave } from "../../features/grant-leave.ts";
import {
  type EmbedderChoice,
  type IndexProgress,
  type IndexSummary,
  indexCorpus,
  STORE_KINDS,
  type StoreKind,
} from "../../features/index-corpus.ts";
import type { MayRead } from "../../features/indexing/leave.ts";
import {
  type CorpusScope,
  configuredNames,
  hasOwnIndex,
  refusePublished,
  targetFolder,
} from "../../features/open-corpora.ts";
import type { Refreshed } from "../../features/refresh-configured.ts";
import { changesText } from "../changes-text.ts";
import type { Output } from "../output.ts";
import type { CommandRun, CommandScope } from "../program.ts";
import { redactedText } from "../redacted-text.ts";
import { commandContext, textOption } from "../scope.ts";
import { shownPlace } from "../shown-place.ts";
import { inLine } from "../terminal-text.ts";
import type { WatchedCorpora } from "../watch-index.ts";

const MEGABYTE = 1_000_000;
/** Less text is not worth a number. */
const TOLD_BYTES_MIN = MEGABYTE / 20;
/** Some items could not be read: the index is good, but not whole. */
const PARTIAL_EXIT = 3;

export const run: CommandRun = async (args, options, scope) => {
  if (options["watch"] !== true) return (await indexOnce(args, options, scope)).code;
  const { watchIndex, whenUnlocked } = await import("../watch-index.ts");
  const { config, corpusScope } = await commandContext(scope);
  const isPlain = args.length === 0 && options["source"] === undefined && options["rebuild"] !== true;
  // What is told of is what the watch does; one object more would not be of its schema.
  const silent = { ...scope, output: { ...scope.output, printJson: () => undefined } };
  const corpora = isPlain
    ? await watchedCorpora(args, corpusScope)
    : (await whenUnlocked(() => indexOnce(args, options, silent), scope)).corpora;
  // Indexing may have noted a corpus, or the leave to read a path.
  const now = isPlain ? { config, corpusScope } : await commandContext(scope);
  return watchIndex(corpora, { corpusScope: now.corpusScope, mayRead: now.config.settings.mayRead }, scope);
};

async function watchedCorpora(args: readonly string[], corpusScope: CorpusScope): Promise<WatchedCorpora> {
  const { names, only } = await configuredOf(args, corpusScope);
  return { names, own: only ? undefined : await targetFolder(corpusScope) };
}

interface IndexedOnce {
  readonly code: number;
  /** What was indexed. */
  readonly corpora: WatchedCorpora;
}

async function indexOnce(
  args: readonly string[],
  options: Readonly<Record<string, unknown>>,
  scope: CommandScope,
): Promise<IndexedOnce> {
  const { config, corpusScope } = await commandContext(scope);
  const { output, signal } = scope;
  const rebuild = options["rebuild"] === true;
  const mayRead = config.settings.mayRead;
  const parts = { ...embedderOf(options), ...storeOf(options) };
  const work = { ...scope, rebuild, mayRead, ...parts };
  const source = textOption(options, "source");
  refusePublished([...args, ...corpusScope.named], corpusScope);
  if (source !== undefined && givesCorpus(source, corpusScope)) return indexSource(source, args, corpusScope, work);
  const configured = await configuredOf(args, corpusScope);
  const { names } = configured;
  if (configured.only) return { code: await refresh(names, corpusScope, work), corpora: { own: undefined, names } };
  const folder = await targetFolder(corpusScope);
  const paths = args.map((path) => resolve(path));
  const summary = await indexInto(folder, paths, { output, signal, rebuild, mayRead, ...parts });
  await remember({ folder, paths, mayRead, environment: process.env }, output);
  const refreshed = await refreshAll(names, corpusScope, { ...work, rebuild: false });
  if (output.json)
    output.printJson({
      schema: "index/1",
      folder,
      ...summary,
      ...(refreshed.length > 0 && { corpora: refreshed.map(reported) }),
    });
  else {
    printSummary(summary, folder, output);
    for (const one of refreshed) printRefreshed(one, output);
  }
  const code = summary.failed > 0 || refreshed.some(isPartial) ? PARTIAL_EXIT : 0;
  return { code, corpora: { own: folder, names } };
}

/** What the user named outside of the index's folder may be read again by a refresh. */
async function remember(leave: Leave, output: Output): Promise<void> {
  if (leave.paths.length === 0) return;
  try {
    const granted = await grantLeave(leave);
    const places = granted.map(shownPlace).join(", ");
    if (granted.length > 0) output.say(output.style("dim", `${places} may be read for this index from now on`));
  } catch (error) {
    const { message } = toWinnowError(error);
    output.say(
      output.style("yellow", `note: a refresh will not read it again, since that cannot be noted: ${message}`),
    );
  }
}

/** True where a source is given a corpus of its own: files only under a name that no folder has. */
function givesCorpus(source: string, { named, known }: CorpusScope): boolean {
  const [name] = named;
  return source !== "files" || (name !== undefined && isAttachedName(name) && known[name]?.kind !== "folder");
}

/** Gives a source a corpus of its own, remembers it in the configuration, and builds it. */
async function indexSource(
  source: string,
  args: readonly string[],
  corpusScope: CorpusScope,
  scope: RefreshScope,
): Promise<IndexedOnce> {
  const type = sourceTypes.find((one) => one === source);
  if (type === undefined) {
    throw new WinnowError("invalid_argument", `There is no source "${source}".${didYouMean(source, sourceTypes)}`, {
      hint: `Sources: ${sourceTypes.join(", ")}.`,
    });
  }
  const [name, second] = corpusScope.named;
  if (second !== undefined) {
    throw new WinnowError("invalid_argument", "Only one corpus can be built of a source at a time.", {
      hint: "Give --corpus once.",
    });
  }
  const { addSource } = await import("../../features/add-source.ts");
  const paths = args.map((path) => resolve(path));
  const added = await addSource({
    scope: corpusScope,
    source: type,
    paths,
    name,
    mayRead: scope.mayRead,
    environment: process.env,
  });
  const { entry, file, mayRead } = added;
  if (added.granted.length > 0) scope.output.say(leaveLine(added.granted, entry));
  await added.write();
  const known = { ...corpusScope.known, [added.name]: entry };
  const code = await refresh([added.name], { ...corpusScope, known }, { ...scope, mayRead });
  scope.output.say(
    scope.output.style("dim", `${added.name} is named in ${shownPlace(file)}; winnow index refreshes it from now on`),
  );
  return { code, corpora: { own: undefined, names: [added.name] } };
}

/** What the user agrees to by having it read, before it is. */
function leaveLine(granted: readonly string[], { isPrivate }: Pick<BuiltEntry, "isPrivate">): string {
  const places = granted.map(shownPlace).join(", ");
  if (!isPrivate) return `${places} is outside of this folder, and may be read for it from now on.`;
  return `Reading what coding agents saw and did, from ${places}. What looks like a secret is replaced before anything is indexed; no such net catches everything.`;
}

interface RefreshScope {
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly rebuild: boolean;
  readonly mayRead: MayRead;
  readonly embedder?: EmbedderChoice;
  readonly store?: StoreKind;
}

/**
 * Which configured corpora a command means: those named, as arguments or with `--corpus`, alone; without any name all of
 * them, besides the nearest index where there is one.
 */
async function configuredOf(
  args: readonly string[],
  scope: CorpusScope,
): Promise<{ readonly names: readonly string[]; readonly only: boolean }> {
  const known = configuredNames(scope);
  const named = args.length > 0 ? args : scope.named;
  if (named.length === 0) return { names: known, only: known.length > 0 && !(await hasOwnIndex(scope)) };
  const found = named.filter((name) => known.includes(name));
  if (found.length === 0) return { names: [], only: false };
  if (found.length === named.length && (args.length === 0 || scope.named.length === 0))
    return { names: found, only: true };
  throw new WinnowError("invalid_argument", `${found.join(", ")} cannot be refreshed together with other paths.`, {
    hint: `Refresh configured corpora by themselves: winnow index ${found.join(" ")}`,
  });
}

async function refresh(names: readonly string[], corpusScope: CorpusScope, scope: RefreshScope): Promise<number> {
  const { output } = scope;
  const refreshed = await refreshAll(names, corpusScope, scope);
  const [first] = refreshed;
  if (refreshed.length === 1 && first?.error !== undefined && first.leftOut !== true) throw first.error;
  if (output.json) output.printJson({ schema: "index/1", corpora: refreshed.map(reported) });
  else for (const one of refreshed) printRefreshed(one, output);
  return refreshed.some(isPartial) ? PARTIAL_EXIT : 0;
}

async function refreshAll(
  names: readonly string[],
  corpusScope: CorpusScope,
  { output, signal, rebuild, mayRead, embedder, store }: RefreshScope,
): Promise<readonly Refreshed[]> {
  if (names.length === 0) return [];
  const { refreshConfigured } = await import("../../features/refresh-configured.ts");
  return refreshConfigured(
    {
      scope: corpusScope,
      names,
      rebuild,
      signal,
      mayRead,
      ...(embedder && { embedder }),
      ...(store && { store }),
    },
    (name, progress) => output.progress(`${name}: ${progressLine(progress)}`),
  );
}

const isPartial = ({ summary, error }: Refreshed): boolean => error !== undefined || (summary?.failed ?? 0) > 0;

function printRefreshed({ name, folder, summary, error, leftOut }: Refreshed, output: Output): void {
  output.print(output.style("bold", name));
  if (summary !== undefined) printSummary(summary, folder, output);
  if (error !== undefined) {
    const what = leftOut === true ? "left out" : "not refreshed";
    output.say(output.style("yellow", `${what}: ${error.message} ${error.hint ?? ""}`));
  }
}

function reported({ name, folder, summary, error }: Refreshed): unknown {
  const failure = error && {
    error: { code: error.code, message: error.message, ...(error.hint && { hint: error.hint }) },
  };
  return { name, folder, ...summary, ...failure };
}

function embedderOf(options: Readonly<Record<string, unknown>>): { readonly embedder?: EmbedderChoice } {
  const spec = textOption(options, "embedder");
  if (spec === undefined) return {};
  return { embedder: { spec, baseUrl: textOption(options, "baseUrl"), apiKeyEnv: textOption(options, "apiKeyEnv") } };
}

function storeOf(options: Readonly<Record<string, unknown>>): { readonly store?: StoreKind } {
  const named = textOption(options, "store");
  const store = STORE_KINDS.find((kind) => kind === named);
  return store === undefined ? {} : { store };
}

/** Indexes with a line of progress that is redrawn. */
export function indexInto(
  folder: string,
  paths: readonly string[],
  scope: {
    readonly output: Output;
    readonly signal: AbortSignal;
    readonly rebuild?: boolean;
    readonly mayRead?: MayRead;
    readonly embedder?: EmbedderChoice;
    readonly store?: StoreKind;
  },
): Promise<IndexSummary> {
  const { rebuild = false, mayRead = {}, embedder, store, signal } = scope;
  return indexCorpus(
    { folder, paths, rebuild, mayRead, signal, ...(embedder && { embedder }), ...(store && { store }) },
    { onProgress: (progress) => scope.output.progress(progressLine(progress)) },
  );
}

/** Where indexing stands, on one line. */
export function progressLine(progress: IndexProgress): string {
  const { phase, itemsDone, itemsTotal, chunks, bytesPerSecond } = progress;
  if (phase === "listing") return `listing: ${plural(itemsTotal, "item")}`;
  if (phase === "optimizing") return `building the index over ${plural(chunks, "new chunk")}`;
  const rate = bytesPerSecond > 0 ? `, ${(bytesPerSecond / MEGABYTE).toFixed(1)} MB/s` : "";
  return `indexing: ${itemsDone} of ${plural(itemsTotal, "item")}, ${plural(chunks, "chunk")}${rate}`;
}

export function printSummary(summary: IndexSummary, folder: string, output: Output): void {
  const unchanged = summary.unchanged > 0 ? `${summary.unchanged.toLocaleString("en-US")} unchanged` : "";
  const told = [changesText(summary), unchanged].filter((part) => part !== "").join(", ");
  const rate =
    summary.bytes >= TOLD_BYTES_MIN && summary.seconds > 0
      ? ` (${(summary.bytes / MEGABYTE).toFixed(1)} MB of text)`
      : "";
  output.print(
    `${plural(summary.documents, "document")} in ${plural(summary.chunks, "chunk")}; ${told || "nothing to do"}${rate}, ${summary.seconds.toFixed(1)} s`,
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
  const redacted = redactedText(summary.redacted);
  if (redacted !== "") output.say(output.style("dim", `redacted before indexing: ${redacted}`));
  for (const { key, message } of summary.failures)
    output.say(output.style("yellow", inLine(`failed: ${key}: ${message}`)));
  for (const notice of summary.notices) output.say(output.style("yellow", inLine(`note: ${notice}`)));
  output.say(output.style("dim", `index: ${shownPlace(folder)}`));
}
