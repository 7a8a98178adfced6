import { createInterface } from "node:readline/promises";
import { ROLES } from "../../core/corpus-role.ts";
import { WinnowError } from "../../core/errors.ts";
import { isObjectAddress } from "../../core/object-address.ts";
import { oneLine, plural, stripControl } from "../../core/text.ts";
import {
  type AttachChoice,
  type AttachedCollection,
  type AttachSession,
  attachCollection,
  type ListedCollection,
  type OpenQuestion,
  openAttachSession,
  type ShapeFlags,
} from "../../features/attach-collections.ts";
import type { IndexSummary } from "../../features/index-corpus.ts";
import type { Output } from "../output.ts";
import type { CommandRun, CommandScope } from "../program.ts";
import { commandContext, textOption } from "../scope.ts";
import { shownPlace } from "../shown-place.ts";
import { printSummary, progressLine } from "./index.ts";

type Options = Readonly<Record<string, unknown>>;

const PARTIAL_EXIT = 3;
const ANSWER_UNITS_MAX = 200;

export const run: CommandRun = async (args, options, scope) => {
  const [place = "", ...named] = args;
  if (isObjectAddress(place)) {
    const { runPublished } = await import("./attach-published.ts");
    return runPublished(args, options, scope);
  }
  const { config, corpusScope } = await commandContext(scope);
  const { output, signal } = scope;
  const session = await openAttachSession({
    place,
    access: accessOf(options),
    workingFolder: corpusScope.workingFolder,
    environment: process.env,
    signal,
  });
  try {
    for (const { message } of session.notices) output.say(output.style("yellow", `note: ${message}`));
    const collections = await chosen(named, options, session, scope);
    if (collections === undefined) return 0;
    if (collections.length > 1 && textOption(options, "name") !== undefined) {
      throw new WinnowError("invalid_argument", "One name cannot stand for several collections.", {
        hint: "Attach them one by one, or leave --name out.",
      });
    }
    const known = { ...config.settings.corpora };
    const inspected: AttachedCollection[] = [];
    // All are looked at before any is written: a wrong flag leaves nothing behind.
    for (const collection of collections) {
      const attached = await session.inspect(choiceOf(collection, options, scope), known);
      inspected.push(attached);
      known[attached.name] = attached.entry;
    }
    return await attachAll(
      inspected,
      session,
      { dryRun: options["dryRun"] === true, skipsEmpty: named.length !== 1 },
      scope,
    );
  } finally {
    await session.close();
  }
};

async function attachAll(
  inspected: readonly AttachedCollection[],
  session: AttachSession,
  { dryRun, skipsEmpty }: { readonly dryRun: boolean; readonly skipsEmpty: boolean },
  { output }: CommandScope,
): Promise<number> {
  const done: unknown[] = [];
  const names: string[] = [];
  const skipped: { readonly collection: string; readonly message: string }[] = [];
  let failed = 0;
  for (const attached of inspected) {
    if (!output.json) print(attached, output);
    let summary: IndexSummary | undefined;
    if (!dryRun) {
      const onProgress = (progress: Parameters<typeof progressLine>[0]): void =>
        output.progress(`${attached.name}: ${progressLine(progress)}`);
      const outcome = await attachCollection(session, attached, { skipsEmpty, onProgress });
      summary = outcome.summary;
      if (summary === undefined) {
        const message = outcome.skipped?.message ?? "";
        skipped.push({ collection: attached.entry.collection, message });
        output.say(output.style("yellow", `skipped: ${message}`));
        continue;
      }
      if (outcome.granted.length > 0) output.say(leaveLine(outcome.granted));
      failed += summary.failed;
      if (!output.json) printSummary(summary, attached.entry.indexFolder, output);
    }
    done.push(reported(attached, summary));
    names.push(attached.name);
  }
  const [first] = inspected;
  if (output.json)
    output.printJson({ schema: "attach/1", file: first?.file ?? null, written: !dryRun, corpora: done, skipped });
  else if (first !== undefined && names.length > 0 && !dryRun) {
    const chosen = names.map((name) => `--corpus ${name}`).join(" ");
    output.say(output.style("dim", `written to ${shownPlace(first.file)}; search with: winnow search "…" ${chosen}`));
  }
  return failed > 0 ? PARTIAL_EXIT : 0;
}

function leaveLine(granted: readonly string[]): string {
  return `${granted.map(shownPlace).join(", ")} is outside of this folder, and may be read for it from now on.`;
}

/** The collections to attach; undefined after they were listed for want of a choice. */
async function chosen(
  named: readonly string[],
  options: Options,
  session: AttachSession,
  scope: CommandScope,
): Promise<readonly string[] | undefined> {
  if (named.length > 0) return [...new Set(named)];
  const listed = await session.list();
  const names = listed.map(({ name }) => name);
  if (listed.length === 0) {
    throw new WinnowError("corpus_not_found", "There is no collection there.", {
      hint: "Check the place, and --tenant and --database where the server has several.",
    });
  }
  if (options["all"] === true) return names;
  const { output } = scope;
  if (output.json) {
    output.printJson({ schema: "collections/1", collections: listed });
    return undefined;
  }
  printList(listed, output);
  if (isAsked(scope)) {
    const answer = await askLine("Attach which? Names, all, or nothing: ", scope);
    if (answer === "all") return names;
    return answer === "" ? undefined : answer.split(/[\s,]+/).filter((name) => name !== "");
  }
  output.say("Name those to attach, or give --all.");
  return undefined;
}

function printList(listed: readonly ListedCollection[], output: Output): void {
  const width = Math.max(...listed.map(({ name }) => name.length));
  for (const { name, records, dimension } of listed) {
    const vectors = dimension === null ? "no vectors" : `vectors of ${dimension}`;
    output.print(`${stripControl(name).padEnd(width)}  ${plural(records, "record").padStart(16)}  ${vectors}`);
  }
}

function choiceOf(collection: string, options: Options, scope: CommandScope): AttachChoice {
  const role = textOption(options, "role");
  const flags: ShapeFlags = {
    documentKey: textOption(options, "documentKey"),
    orderKey: textOption(options, "orderKey"),
    titleKey: textOption(options, "titleKey"),
    uriKey: textOption(options, "uriKey"),
    role: ROLES.find((one) => one === role),
    embedder: textOption(options, "embedder"),
  };
  const ask = async ({ question, suggestion }: OpenQuestion): Promise<string> =>
    (await askLine(`${question} [${suggestion}] `, scope)) || suggestion;
  return { collection, name: textOption(options, "name"), flags, ...(isAsked(scope) ? { ask } : {}) };
}

function accessOf(options: Options) {
  const [tenant, database, apiKeyEnv] = ["tenant", "database", "apiKeyEnv"].map((name) => textOption(options, name));
  return {
    ...(tenant === undefined ? {} : { tenant }),
    ...(database === undefined ? {} : { database }),
    ...(apiKeyEnv === undefined ? {} : { apiKeyEnv }),
    ...(options["inPlace"] === true ? { inPlace: true } : {}),
  };
}

function isAsked({ output }: CommandScope): boolean {
  return !output.json && !output.quiet && process.stdin.isTTY === true && process.stderr.isTTY === true;
}

async function askLine(question: string, { signal }: CommandScope): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await reader.question(stripControl(question), { signal })).trim().slice(0, ANSWER_UNITS_MAX);
  } finally {
    reader.close();
  }
}

/** What was found, one fact a line. */
function print({ name, entry, inspected, notices }: AttachedCollection, output: Output): void {
  const { shape, info, records } = inspected;
  const row = (label: string, value: string): void => output.print(`  ${label.padEnd(12)}${value}`);
  const key = (value: string | undefined): string => (value === undefined ? "none" : stripControl(value));
  output.print(`${output.style("bold", name)}  ${output.style("dim", `${entry.place} / ${oneLine(info.name, 100)}`)}`);
  row("records", `${records.toLocaleString("en-US")}, ${shape.sampled} sampled`);
  row("role", `${entry.role}${entry.role === shape.role.value ? ` (${shape.role.why})` : ""}`);
  const why = entry.documentKey === shape.documentKey.value ? ` (${stripControl(shape.documentKey.why)})` : "";
  row("document", `${key(entry.documentKey)}${why}`);
  row("order", key(entry.orderKey));
  row("title", key(entry.titleKey));
  row("place", key(entry.uriKey));
  row("dates", shape.dateKeys.length === 0 ? "none" : shape.dateKeys.join(", "));
  row("repository", key(shape.repositoryKey));
  const dimension = info.dimension === null ? "" : `${info.dimension} numbers, ${info.space}; `;
  row(
    "vectors",
    `${dimension}${entry.embedder === "none" || entry.embedder === "unknown" ? "searched by words only" : `asked with ${entry.embedder}`}`,
  );
  const lists = shape.keys.filter(({ joined }) => joined).map((fact) => fact.key);
  if (lists.length > 0) row("lists", `${lists.map(stripControl).join(", ")} (joined with ", ")`);
  row("keys", shape.keys.map((fact) => `${stripControl(fact.key)}: ${fact.type}`).join(", "));
  for (const { message } of notices) output.say(output.style("yellow", `  note: ${message}`));
}

function reported({ name, entry, inspected, notices }: AttachedCollection, summary: IndexSummary | undefined): unknown {
  const { kind: _, ...written } = entry;
  const { shape, info, records } = inspected;
  return {
    name,
    ...written,
    records,
    dimension: info.dimension,
    space: info.space,
    shape,
    notices,
    summary: summary ?? null,
  };
}
