import { lastChange, timeOf } from "./change-time.ts";
import type { Metadata } from "./types.ts";

/**
 * Where a document comes from and how it stands, read from metadata. Sources of ours write the first key of each list;
 * the others are names that front matter and collections of other makers use, so nothing has to be renamed for us.
 */
export interface Provenance {
  /** Milliseconds since the epoch: when the content last changed, else when it was made. */
  readonly date?: number;
  readonly repository?: string;
  readonly path?: string;
  readonly tags: readonly string[];
  /** As written, e.g. `Draft`. */
  readonly status?: string;
  readonly session?: string;
  /** What the document itself says has taken its place. */
  readonly supersededBy?: string;
  /** What the document itself says it replaces. */
  readonly supersedes: readonly string[];
}

export const REPOSITORY_KEYS = [
  "repository",
  "repo",
  "source_repo_slug",
  "repo_slug",
  "project_path",
  "project",
] as const;
const PATH_KEYS = ["path", "source_relative_path", "relative_path", "source_path", "file_path"] as const;
const TAG_KEYS = ["tags", "fm_tags", "keywords", "labels"] as const;
const STATUS_KEYS = ["status", "fm_status", "state"] as const;
/** Keys whose value several corpora share: the thread that a join follows. */
export const SESSION_KEYS: readonly string[] = ["session_id", "sessionId", "session"];
const SUPERSEDED_KEYS = ["superseded_by", "supersededBy", "fm_superseded_by", "replaced_by"] as const;
const SUPERSEDES_KEYS = ["supersedes", "fm_supersedes", "replaces", "fm_replaces"] as const;

/** Reads what `Provenance` names; keys that are not there, empty, or of another type are passed over. */
export function provenanceOf(metadata: Metadata): Provenance {
  const date = lastChange(metadata)?.[1];
  const repository = textOf(metadata, REPOSITORY_KEYS);
  const path = textOf(metadata, PATH_KEYS);
  const status = textOf(metadata, STATUS_KEYS);
  const session = textOf(metadata, SESSION_KEYS);
  const supersededBy = textOf(metadata, SUPERSEDED_KEYS);
  return {
    ...(date === undefined ? {} : { date }),
    ...(repository === undefined ? {} : { repository }),
    ...(path === undefined ? {} : { path }),
    tags: listOf(metadata, TAG_KEYS),
    ...(status === undefined ? {} : { status }),
    ...(session === undefined ? {} : { session }),
    ...(supersededBy === undefined ? {} : { supersededBy }),
    supersedes: listOf(metadata, SUPERSEDES_KEYS),
  };
}

function textOf(metadata: Metadata, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = own(metadata, key);
    if (typeof value === "string" && value.trim() !== "") return value.trim();
  }
  return undefined;
}

/** Lists may be joined with ", ", since some stores keep no lists. */
function listOf(metadata: Metadata, keys: readonly string[]): string[] {
  for (const key of keys) {
    const value = own(metadata, key);
    const members = typeof value === "string" ? value.split(/,\s*/u) : Array.isArray(value) ? value : [];
    const named = members.map((member) => String(member).trim()).filter((member) => member !== "");
    if (named.length > 0) return [...new Set(named)];
  }
  return [];
}

/** Metadata may carry a key such as `constructor`, and may lack it. */
function own(metadata: Metadata, key: string): Metadata[string] | undefined {
  return Object.hasOwn(metadata, key) ? metadata[key] : undefined;
}

/** Keys worth a reader's attention beside the above where they are there. */
const OUTCOME_KEYS = ["is_error", "tool_name", "tool", "turn_role"] as const;
/** Words of a status by which a document says that it no longer holds. What is archived may hold: it is put away. */
export const STALE_STATUS = /\b(?:superseded|deprecated|obsolete|replaced|withdrawn|rejected)\b/iu;
const ARCHIVED_STATUS = /\barchived?\b/iu;
const ARCHIVE_FOLDER = /(?:^|[/\\])[_.]?(?:archives?|archived|attic)[/\\]/iu;
const ARCHIVED_KEYS = ["archived", "is_archived", "fm_archived"] as const;

/** Whether a status tells a reader to think twice: that the document no longer holds, or is put away. */
export function isTellingStatus(status: string): boolean {
  return STALE_STATUS.test(status) || ARCHIVED_STATUS.test(status);
}

/** Whether a document is put away, by its metadata or by a folder in its place. It may hold all the same. */
export function isArchived(metadata: Metadata, uri: string): boolean {
  const { status = "", path = "" } = provenanceOf(metadata);
  const isMarked = ARCHIVED_KEYS.some((key) => ["true", "yes"].includes(String(own(metadata, key)).toLowerCase()));
  return isMarked || ARCHIVED_STATUS.test(status) || ARCHIVE_FOLDER.test(path) || ARCHIVE_FOLDER.test(uri);
}
const SHOWN_VALUE_UNITS_MAX = 80;

/**
 * What a reader of a passage should see of its document: when, where from, which session, whether it still holds. Keys
 * stand as the metadata has them, so that they can be used in filters and followed; dates are cut to the day.
 */
export function shownMetadata(metadata: Metadata): readonly (readonly [key: string, value: string])[] {
  const date = lastChange(metadata)?.[0];
  const status = firstKey(metadata, STATUS_KEYS);
  const isTelling = status !== undefined && isTellingStatus(String(own(metadata, status)));
  const keys = [
    date,
    firstKey(metadata, REPOSITORY_KEYS),
    firstKey(metadata, SESSION_KEYS),
    ...OUTCOME_KEYS.filter((key) => own(metadata, key) !== undefined && own(metadata, key) !== false),
    isTelling ? status : undefined,
    firstKey(metadata, SUPERSEDED_KEYS),
  ];
  return keys.flatMap((key) => {
    const value = key === undefined ? undefined : own(metadata, key);
    if (key === undefined || value === undefined) return [];
    const time = key === date ? timeOf(value) : undefined;
    const text = time === undefined ? String(value) : new Date(time).toISOString().slice(0, 10);
    return text === "" || text.length > SHOWN_VALUE_UNITS_MAX ? [] : [[key, text] as const];
  });
}

function firstKey(metadata: Metadata, keys: readonly string[]): string | undefined {
  return keys.find((key) => textOf(metadata, [key]) !== undefined);
}
