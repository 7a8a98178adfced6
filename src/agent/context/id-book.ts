import { trimmedOf } from "../../core/text.ts";
import type { RecordedPlace } from "../../record/events.ts";
import type { Profile } from "../profiles/profile.ts";

/** FNV-1a, 32 bits. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

const VIRTUAL_IDS = 1_000_000;

/**
 * The ids that a policy sees, given out in order of first appearance, so that they are a function of the record. Short
 * ids are `d<document>` and `d<document>.<chunk>`, both from 1; virtual ids are `<integer>` and `<integer>_<chunk from 0>`,
 * the integer being a hash of the document (the Context-1 corpora used random integers).
 */
export class IdBook {
  readonly #style: Profile["idStyle"];
  readonly #documents = new Map<string, string>();
  readonly #documentKeys = new Map<string, string>();
  readonly #chunkKeys = new Map<string, string>();

  constructor(style: Profile["idStyle"]) {
    this.#style = style;
  }

  /** Ids of a chunk; new documents get their id here. */
  assign(chunk: RecordedPlace): { shownId: string; shownDocumentId: string } {
    const documentKey = documentKeyOf(chunk);
    let shown = this.#documents.get(documentKey);
    if (shown === undefined) {
      shown = this.#style === "short" ? `d${this.#documents.size + 1}` : this.#virtual(documentKey);
      this.#documents.set(documentKey, shown);
      this.#documentKeys.set(shown, documentKey);
    }
    const shownId = this.#style === "short" ? `${shown}.${chunk.index + 1}` : `${shown}_${chunk.index}`;
    this.#chunkKeys.set(shownId, chunk.key);
    return { shownId, shownDocumentId: shown };
  }

  #virtual(documentKey: string): string {
    let number = fnv1a(documentKey) % VIRTUAL_IDS;
    while (this.#documentKeys.has(String(number))) number = (number + 1) % VIRTUAL_IDS;
    return String(number);
  }

  /** Key of the chunk shown under this id, if any was. */
  chunkKey(shownId: string): string | undefined {
    return this.#chunkKeys.get(clean(shownId));
  }

  /** Key of the document shown under this id; the id of one of its chunks does as well. */
  documentKey(shownId: string): string | undefined {
    const id = clean(shownId);
    const direct = this.#documentKeys.get(id);
    if (direct !== undefined) return direct;
    const cut = Math.max(id.lastIndexOf("."), id.lastIndexOf("_"));
    return cut > 0 ? this.#documentKeys.get(id.slice(0, cut)) : undefined;
  }
}

const WRAPPING = /[\s"'`<>[\]()#]/;

/** Policies wrap ids in quotes, brackets or a heading's words; none of those occur in an id. */
function clean(id: string): string {
  return trimmedOf(id.replace(/^(?:#\s*)?(?:DOCUMENT ID:|Chunk)\s*/i, ""), WRAPPING);
}

/** Identity of a chunk's document across corpora. */
export function documentKeyOf(chunk: { readonly corpus: string; readonly documentId: string }): string {
  return `${chunk.corpus}\u0000${chunk.documentId}`;
}
