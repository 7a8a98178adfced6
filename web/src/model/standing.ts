import { isTellingStatus, provenanceOf } from "../../../src/core/provenance.ts";
import type { Metadata } from "../../../src/core/types.ts";

/** What a reader has to know of a document before citing it. */
export interface Standing {
  /** The day of its last change, its repository, its session, as far as they are known; in this order. */
  readonly facts: readonly string[];
  /** Why it may no longer hold, by its own word; undefined where it says nothing of the kind. */
  readonly stale: string | undefined;
}

/** Reads a document's standing from its metadata. Corpus text: to be shown as text only. */
export function standingOf(metadata: Metadata): Standing {
  const { date, repository, session, status, supersededBy } = provenanceOf(metadata);
  const facts = [
    date === undefined ? undefined : new Date(date).toISOString().slice(0, "2026-01-01".length),
    repository,
    session === undefined ? undefined : `session ${session}`,
  ];
  return { facts: facts.filter((fact) => fact !== undefined), stale: staleness(status, supersededBy) };
}

function staleness(status: string | undefined, supersededBy: string | undefined): string | undefined {
  if (supersededBy !== undefined) return `superseded by ${supersededBy}`;
  return status !== undefined && isTellingStatus(status) ? status.toLowerCase() : undefined;
}
