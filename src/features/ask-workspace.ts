import type { z } from "zod";
import type { AttachedStatus } from "./attaching/attached-status.ts";
import { type Brief, type BriefOptions, briefTask } from "./brief-task.ts";
import type { listedCorpus } from "./callers/listed-corpus.ts";
import { corpusStatus } from "./corpus-status.ts";
import { type FindDocumentsOptions, type FoundDocuments, findDocuments } from "./find-documents.ts";
import { type DocumentText, parseLineRange, readDocument } from "./read-document.ts";
import { type Recent, recentDocuments } from "./recent-documents.ts";
import { resolveDocumentIds } from "./resolve-document.ts";
import { sinceFilter } from "./since-filter.ts";
import type { Workspace } from "./workspace.ts";

/**
 * What callers of a server may ask of its workspace besides a search (`search-workspace.ts`): they say what they look for
 * and in which of its corpora; everything else is the configuration's.
 */
interface Asked {
  /** Names of corpora; none: those that a command in the folder would use. */
  readonly corpora?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Filtered {
  readonly where?: readonly string[] | undefined;
  /** ISO date, whole or in part. */
  readonly since?: string | undefined;
}

function filters({ where = [], since }: Filtered): readonly string[] {
  return since === undefined ? where : [...where, sinceFilter(since)];
}

export interface WorkspaceFind extends Asked, Filtered {
  readonly query: string;
  readonly mode?: FindDocumentsOptions["mode"] | undefined;
  readonly documents: number;
  readonly exclude?: readonly string[] | undefined;
}

/** One query, without an agent. Rejects as `findDocuments` does. */
export async function findInWorkspace(workspace: Workspace, asked: WorkspaceFind): Promise<FoundDocuments> {
  const readers = await workspace.corpora(asked.corpora);
  return findDocuments(readers, {
    text: asked.query,
    mode: asked.mode ?? "hybrid",
    documentsMax: asked.documents,
    where: filters(asked),
    exclude: await resolveDocumentIds(readers, asked.exclude ?? [], workspace.folder),
    ...(asked.signal === undefined ? {} : { signal: asked.signal }),
  });
}

export interface WorkspaceBrief extends Asked, Filtered {
  readonly task: string;
  readonly onRun?: BriefOptions["onRun"];
}

/** The working set of a task, from a run that is recorded in the first corpus. Rejects as `briefTask` does. */
export async function briefInWorkspace(workspace: Workspace, asked: WorkspaceBrief): Promise<Brief> {
  const { settings } = workspace;
  const [place] = await workspace.places();
  return briefTask({
    task: asked.task,
    corpora: await workspace.corpora(asked.corpora),
    policy: () => workspace.policy(),
    profile: settings.profile,
    contextTokens: settings.contextTokens,
    where: filters(asked),
    timeoutMs: 1000 * settings.timeoutSeconds,
    ...(asked.onRun === undefined ? {} : { onRun: asked.onRun }),
    ...(asked.signal === undefined ? {} : { signal: asked.signal }),
    ...(place === undefined ? {} : { runsFolder: place.runsFolder }),
  });
}

export interface WorkspaceRecent extends Asked {
  readonly since?: string | undefined;
  readonly where?: readonly string[] | undefined;
  readonly documents: number;
}

/** What moved since a date. Rejects as `recentDocuments` does. */
export async function recentInWorkspace(workspace: Workspace, asked: WorkspaceRecent): Promise<Recent> {
  return recentDocuments(await workspace.corpora(asked.corpora), {
    where: asked.where ?? [],
    documentsMax: asked.documents,
    now: Date.now(),
    ...(asked.signal === undefined ? {} : { signal: asked.signal }),
    ...(asked.since === undefined ? {} : { since: asked.since }),
  });
}

export interface WorkspaceRead {
  readonly document: string;
  /** Such as `10-40`. */
  readonly lines?: string | undefined;
  readonly corpora?: readonly string[] | undefined;
  /** UTF-16 units of text at most; what is longer comes in parts of whole lines. */
  readonly unitsMax: number;
}

/** `next` holds the lines to ask for next where the text was cut. */
export interface DocumentPart extends DocumentText {
  readonly next?: string;
}

/** A document, or the part of it that fits. Rejects as `readDocument` does. */
export async function readInWorkspace(workspace: Workspace, asked: WorkspaceRead): Promise<DocumentPart> {
  const readers = await workspace.corpora(asked.corpora);
  const range = asked.lines === undefined ? undefined : parseLineRange(asked.lines);
  const whole = await readDocument(readers, asked.document, workspace.folder, range);
  const text = cutAtLine(whole.text, asked.unitsMax);
  const { from, to: last } = whole.lines;
  const to = Math.min(last, from + text.split("\n").length - 1);
  return { ...whole, text, lines: { from, to }, ...(to < last ? { next: `${to + 1}-${last}` } : {}) };
}

/** As many whole lines as fit, at least one, which may be cut itself. */
function cutAtLine(text: string, unitsMax: number): string {
  if (text.length <= unitsMax) return text;
  const end = text.lastIndexOf("\n", unitsMax);
  return end > 0 ? text.slice(0, end) : `${text.slice(0, unitsMax)}…`;
}

/** Metadata keys that an answer names. */
const KEYS_MAX = 60;

/** A corpus as callers see it: nothing of it tells where it lies. */
export type ListedCorpus = z.infer<typeof listedCorpus>;

/** What can be searched, and how fresh it is. */
export async function corporaOfWorkspace(workspace: Workspace): Promise<ListedCorpus[]> {
  return Promise.all(
    (await workspace.places()).map(async (place) => {
      const { documents, chunks, updatedAt, writing, ready, items, metadataKeys, ...more } = await corpusStatus(place);
      const { attached, skippedByReason, redacted } = more;
      return {
        ...{ name: place.name, documents, chunks, updatedAt, writing, ready, skippedByReason, redacted },
        skipped: items.skipped + items.failed,
        failed: items.failed,
        attached: attached !== undefined,
        words: attached === undefined ? null : wordsOf(attached),
        keys: [...metadataKeys].slice(0, KEYS_MAX),
      };
    }),
  );
}

function wordsOf({ records, scannedAt, state }: AttachedStatus): NonNullable<ListedCorpus["words"]> {
  return { records, scannedAt, state };
}
