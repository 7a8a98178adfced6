import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { parseDateRange } from "../../core/filter-date.ts";
import type { SourceDocument } from "../../core/types.ts";
import { createFilesSource, type FilesSourceOptions } from "../files/files-source.ts";
import { keyOf } from "../files/paths.ts";
import { repositoryFinder } from "../repository.ts";
import type { Listed, ReadOutcome, Source, SourceItem } from "../source.ts";
import { COMMITS_MAX, commitDocument, readGitLog, readHead } from "./git-log.ts";
import { outsideHistory } from "./history-place.ts";
import { parseChangelog } from "./keep-a-changelog.ts";

/** Ends the key of a repository's history; no file can have it, since git keeps this name to itself. */
const LOG_KEY = ".git/log";
/** Files that hold all versions. */
const CHANGELOG_FILE =
  /^(?:changelog|changes|history|releases?|release[-_]notes|news)(?:[-_.][\w.-]{0,40})?\.(?:md|mdx|markdown|txt)$/iu;
/** Folders that hold a file per entry. */
const ENTRY_FOLDER = /^(?:changelogs?|changelog\.d|changes|releases|release[-_]notes)$/iu;
const ENTRY_FILE = /\.(?:md|mdx|markdown|txt)$/iu;
/** A file name that begins with its date. */
const DATED_NAME = /^(\d{4})[-_]?(\d{2})[-_]?(\d{2})(?!\d)/u;

/**
 * What shipped, from three places: files that hold all versions (one document a version), folders with a file per entry
 * (one document an entry), and the history of a repository (one document a commit, merges left out). A root that is a
 * repository gives its history and what it keeps in files and folders of the usual names; a root that is a folder gives
 * every entry in it; a file is read as it is. `modified` is the date of the entry, `repository` the folder that holds
 * `.git`; a history that lies elsewhere is skipped as `outside_root`. Limits, rules and errors are those of the files source.
 */
export function createChangelogSource(options: FilesSourceOptions): Source {
  const files = createFilesSource(options);
  const base = resolve(options.base);
  const repositoryOf = repositoryFinder();
  return {
    type: "changelog",
    list: (signal) => listEntries(files, options.roots, base, signal),
    hash: async (item, signal) => (isLog(item) ? (await headOf(item, signal)).hash : files.hash(item, signal)),
    async read(item, signal) {
      if (isLog(item)) return readLog(item, (await repositoryOf(item.location)) ?? basename(item.location), signal);
      const outcome = await files.read(item, signal);
      if ("skipped" in outcome) return outcome;
      const repository = await repositoryOf(dirname(item.location));
      return { ...outcome, documents: outcome.documents.flatMap((document) => entriesOf(document, item, repository)) };
    },
  };
}

const isLog = (item: SourceItem): boolean => item.key === LOG_KEY || item.key.endsWith(`/${LOG_KEY}`);

async function* listEntries(
  files: Source,
  roots: readonly string[],
  base: string,
  signal: AbortSignal,
): AsyncGenerator<Listed> {
  const repositories: { readonly key: string; readonly folder: string }[] = [];
  for (const root of roots) {
    const folder = resolve(root);
    if (await exists(join(folder, ".git"))) repositories.push({ key: keyOf(base, folder), folder });
  }
  const logs = await Promise.all(repositories.map(({ key, folder }) => listLog(key, folder, signal)));
  const pending = logs.sort((a, b) => (keyIn(a) < keyIn(b) ? -1 : 1));
  const within = (key: string): boolean =>
    repositories.some((repository) => repository.key === "" || key.startsWith(`${repository.key}/`));
  const named = new Set(roots.map((root) => keyOf(base, resolve(root))));
  for await (const listed of files.list(signal)) {
    const key = keyIn(listed);
    if (!named.has(key) && !isEntry(key, within(key))) continue;
    for (let next = pending[0]; next !== undefined && keyIn(next) < key; next = pending[0]) {
      pending.shift();
      yield next;
    }
    yield listed;
  }
  yield* pending;
}

const keyIn = (listed: Listed): string => ("item" in listed ? listed.item.key : listed.skipped.key);

/** In a repository only the usual places hold entries; a folder that was named by itself is all entries. */
function isEntry(key: string, inRepository: boolean): boolean {
  const parts = key.split("/");
  const name = parts.at(-1) ?? "";
  if (!inRepository) return ENTRY_FILE.test(name);
  return (
    CHANGELOG_FILE.test(name) || (ENTRY_FILE.test(name) && parts.slice(0, -1).some((part) => ENTRY_FOLDER.test(part)))
  );
}

async function listLog(prefix: string, folder: string, signal: AbortSignal): Promise<Listed> {
  const key = prefix === "" ? LOG_KEY : `${prefix}/${LOG_KEY}`;
  const outside = await outsideHistory(folder);
  if (outside !== undefined) return { skipped: { key, ...outside } };
  const head = await readHead(folder, signal);
  if ("failure" in head) return { skipped: { key, reason: "unreadable", detail: `No history: ${head.failure}.` } };
  // There are no bytes to count: a number that changes with the newest commit serves the check for changes as well.
  return { item: { key, location: folder, bytes: Number.parseInt(head.commit.slice(0, 8), 16), mtimeMs: head.timeMs } };
}

async function headOf(item: SourceItem, signal: AbortSignal): Promise<{ readonly hash?: string }> {
  if ((await outsideHistory(item.location)) !== undefined) return {};
  const head = await readHead(item.location, signal);
  return "failure" in head ? {} : { hash: head.commit };
}

async function readLog(item: SourceItem, repository: string, signal: AbortSignal): Promise<ReadOutcome> {
  const { key, location } = item;
  const unreadable = (why: string): ReadOutcome => ({ skipped: { key, reason: "unreadable", detail: `${why}.` } });
  const outside = await outsideHistory(location);
  if (outside !== undefined) return { skipped: { key, ...outside } };
  const head = await readHead(location, signal);
  if ("failure" in head) return unreadable(`No history: ${head.failure}`);
  const log = await readGitLog(location, head.commit, signal);
  if ("failure" in log) return unreadable(`No history: ${log.failure}`);
  const notes = log.truncated ? [`Only the newest ${COMMITS_MAX.toLocaleString("en-US")} commits are read.`] : [];
  return { documents: log.commits.map((commit) => commitDocument(commit, key, repository)), hash: head.commit, notes };
}

function entriesOf(
  document: SourceDocument,
  { key }: SourceItem,
  repository: string | undefined,
): readonly SourceDocument[] {
  const from = repository === undefined ? {} : { repository };
  const name = key.slice(key.lastIndexOf("/") + 1);
  const versions = CHANGELOG_FILE.test(name) ? parseChangelog(document.text) : [];
  if (versions.length === 0) {
    const date = entryDate(document, name);
    const metadata = {
      ...document.metadata,
      kind: "entry",
      ...from,
      ...(date === undefined ? {} : { modified: date }),
    };
    return [{ ...document, metadata }];
  }
  const seen = new Map<string, number>();
  return versions.map(({ version, date, start, end, kinds, yanked }) => {
    const count = (seen.get(version) ?? 0) + 1;
    seen.set(version, count);
    const id = `${key}#${version}${count === 1 ? "" : `-${count}`}`;
    return {
      id,
      uri: id,
      title: `${repository ?? document.title} ${version}`,
      format: document.format,
      text: document.text.slice(start, end),
      metadata: {
        ...document.metadata,
        kind: "version",
        version,
        ...from,
        ...(date === undefined ? {} : { modified: date }),
        ...(kinds.length === 0 ? {} : { changes: kinds }),
        ...(yanked ? { status: "withdrawn" } : {}),
      },
    };
  });
}

/** The day that an entry says it is of: in its front matter, or in its name. */
function entryDate(document: SourceDocument, name: string): string | undefined {
  const stated = document.metadata["date"];
  if (typeof stated === "string" && parseDateRange(stated) !== undefined) return stated;
  const match = DATED_NAME.exec(name);
  const named = match === null ? undefined : match.slice(1).join("-");
  return named !== undefined && parseDateRange(named) !== undefined ? named : undefined;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
