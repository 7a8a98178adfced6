import type { ChromaEntry } from "../../config/corpora.ts";
import type { Role } from "../../core/corpus-role.ts";
import { hasEmbedder } from "./attached-entry.ts";
import { refusedAttached } from "./attached-leave.ts";
import { placeStamp, readAttachment } from "./attachment.ts";

export interface AttachedStatus {
  readonly place: string;
  readonly collection: string;
  readonly role: Role;
  /** What its vectors are asked with; null: it is searched by words only. */
  readonly embedder: string | null;
  /** Records whose words are indexed; null before the first time that indexing ended. */
  readonly records: number | null;
  readonly scannedAt: string | null;
  /** `unknown` for a server, and where words were indexed while the collection was written; `refused` without leave. */
  readonly state: "fresh" | "changed" | "gone" | "unknown" | "refused";
}

/** How an attached collection stands, without reaching its server. */
export async function attachedStatus(name: string, entry: ChromaEntry): Promise<AttachedStatus> {
  const { place, collection, role, embedder } = entry;
  const attachment = await readAttachment(entry.indexFolder);
  const known = attachment?.stamp ?? null;
  const refused = await refusedAttached(name, entry);
  const state =
    refused === undefined
      ? await placeStamp(place).then(
          (stamp) => (stamp === null || known === null ? "unknown" : stamp === known ? "fresh" : "changed"),
          () => "gone" as const,
        )
      : "refused";
  return {
    place,
    collection,
    role,
    embedder: hasEmbedder(entry) ? embedder : null,
    records: attachment?.records ?? null,
    scannedAt: attachment?.scannedAt ?? null,
    state,
  };
}
