import { isAbsolute, relative } from "node:path";
import { provenanceOf } from "../core/provenance.ts";
import { oneLine, stripControl } from "../core/text.ts";
import type { Metadata } from "../core/types.ts";

const PLACE_UNITS_MAX = 400;
const NAME_UNITS_MAX = 120;

/** What a claim from a document has to carry: where it stands, of which day it is, whose it is. */
export interface Citation {
  /** Path or id with a line, e.g. `docs/retries.md:12`; what `winnow read` takes. */
  readonly place: string;
  /** ISO date (day) of its last change. */
  readonly date?: string | undefined;
  readonly repository?: string | undefined;
  readonly session?: string | undefined;
  /** What the document itself says has taken its place. */
  readonly supersededBy?: string | undefined;
}

interface Cited {
  readonly id: string;
  readonly uri: string;
  readonly metadata: Metadata;
  readonly line: number;
}

/**
 * Paths below `folder` are written from there on. A part of a file, such as a row or a record, is named by its id. Free of
 * control characters.
 */
export function citationOf({ id, uri, metadata, line }: Cited, folder: string): Citation {
  const isWhole = uri.replaceAll("\\", "/").endsWith(id.replaceAll("\\", "/"));
  const { date, repository, session, supersededBy } = provenanceOf(metadata);
  const named = (name: string, value: string | undefined) =>
    value === undefined ? {} : { [name]: oneLine(stripControl(value), NAME_UNITS_MAX) };
  return {
    place: isWhole ? `${placeBelow(uri, folder)}:${line}` : oneLine(stripControl(id), PLACE_UNITS_MAX),
    ...(date === undefined ? {} : { date: new Date(date).toISOString().slice(0, "2026-01-01".length) }),
    ...named("repository", repository),
    ...named("session", session),
    ...named("supersededBy", supersededBy),
  };
}

/** A path below the folder from there on, so that it can be opened as it stands; any other one as it is. */
function placeBelow(uri: string, folder: string): string {
  const plain = stripControl(uri).replace(/\s/g, " ");
  const below = isAbsolute(plain) ? relative(folder, plain) : plain;
  return below.startsWith("..") ? plain : below;
}

/** The parts of a citation on one line, for people and for models. */
export function citationLine({ place, date, repository, session, supersededBy }: Citation): string {
  const parts = [
    place,
    date,
    repository,
    session === undefined ? undefined : `session ${session}`,
    supersededBy === undefined ? undefined : `SUPERSEDED by ${supersededBy}`,
  ];
  return parts.filter((part) => part !== undefined).join(" · ");
}
