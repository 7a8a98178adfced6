import type { Role } from "../../core/corpus-role.ts";
import { RECORD_KEY } from "../../retrieval/chroma/shape/detect-shape.ts";

/** How the records of a collection are read as documents; kept in the configuration. */
export interface CollectionShape {
  /** Metadata key that the records of one document share, or `RECORD_KEY`. */
  readonly documentKey: string;
  /** Metadata key that puts the records of a document in order; without it their ids do. */
  readonly orderKey?: string | undefined;
  readonly titleKey?: string | undefined;
  /** Metadata key with the place where a person reopens a document. */
  readonly uriKey?: string | undefined;
  readonly role: Role;
}

/** Name of the document that a record belongs to; a record without the key is one of its own. */
export function documentNameOf(
  record: { readonly id: string; readonly metadata: Readonly<Record<string, unknown>> | null },
  shape: Pick<CollectionShape, "documentKey">,
): string {
  if (shape.documentKey === RECORD_KEY) return record.id;
  const value = record.metadata?.[shape.documentKey];
  return (typeof value === "string" && value !== "") || typeof value === "number" ? String(value) : record.id;
}
