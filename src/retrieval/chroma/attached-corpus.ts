import type { WinnowError } from "../../core/errors.ts";
import type { Chunk, Notice } from "../../core/types.ts";
import { openCorpus } from "../corpus/open-corpus.ts";
import { openFolderStore } from "../corpus/store-of.ts";
import type {
  CorpusInfo,
  CorpusReader,
  DocumentsAnswer,
  DocumentsQuery,
  FindAnswer,
  FindQuery,
  GrepAnswer,
  GrepQuery,
  ReadQuery,
} from "../corpus-reader.ts";
import type { EmbedderIdentity, EmbedQuery } from "../find/embed-query.ts";
import type { ScorePassages } from "../find/score-passages.ts";
import type { Store, StoreReader } from "../store/store.ts";
import { DenseSide, type OpenCollection } from "./dense-side.ts";

/** Code of the notice of a query whose dense half was not asked. */
const LEXICAL_ONLY = "lexical_only";

export interface FailedReplica {
  readonly address: string;
  readonly error: WinnowError;
}

export interface AttachedCorpusOptions {
  readonly name: string;
  /** The corpus folder with the words of the collection. */
  readonly folder: string;
  /** What made the vectors of the collection; null: it is searched by words only. */
  readonly embedder: EmbedderIdentity | null;
  /** The user wants it to be searched by words only: then there is nothing to say of that. */
  readonly wordsOnly?: boolean;
  readonly embedQuery?: EmbedQuery;
  readonly scorePassages?: ScorePassages;
  /** Reaches the collection, at the first query by meaning. */
  readonly open: (signal?: AbortSignal) => Promise<OpenCollection>;
  /** Servers that `open` chooses from, default 1. */
  readonly replicas?: number;
  /** Those of them that failed a short while ago. */
  readonly failing?: () => readonly FailedReplica[];
  /** What is to be said about the age of the words; never rejects. */
  readonly age: () => Promise<readonly Notice[]>;
  readonly close: () => Promise<void>;
}

/**
 * Opens an attached collection for reading: words, patterns and texts come from the corpus folder beside it, nearness
 * from the collection itself. Rejects as `openCorpus` does; the collection is not reached before it is needed.
 */
export async function openAttachedCorpus(options: AttachedCorpusOptions): Promise<CorpusReader> {
  const { name, folder, embedder, embedQuery, scorePassages } = options;
  const dense = new DenseSide(options.open, options.replicas);
  const words = await openCorpus(folder, {
    name,
    ...(embedder === null
      ? {}
      : { embedder, openStore: (layout, identity) => withDense(openFolderStore(layout, identity), dense) }),
    ...(embedQuery && { embedQuery }),
    ...(scorePassages && { scorePassages }),
  });
  return new AttachedCorpus(words, dense, options);
}

class AttachedCorpus implements CorpusReader {
  readonly name: string;
  readonly #words: CorpusReader;
  readonly #dense: DenseSide;
  readonly #options: AttachedCorpusOptions;

  constructor(words: CorpusReader, dense: DenseSide, options: AttachedCorpusOptions) {
    this.name = options.name;
    this.#words = words;
    this.#dense = dense;
    this.#options = options;
  }

  info(): Promise<CorpusInfo> {
    return this.#words.info();
  }

  async find(query: FindQuery): Promise<FindAnswer> {
    const [answer, age] = await Promise.all([this.#words.find(query), this.#options.age()]);
    // By words alone the collection is not reached, for this neither.
    if (query.mode !== "lexical" && age.length === 0) await this.#dense.check(answer.hits, query.signal);
    const told = age.length > 0 ? age : this.#dense.notices(this.name);
    const own = answer.notices.flatMap((notice) => this.#explained(notice));
    // Where no server answered, the notice of that says enough.
    const isLexical = query.mode === "lexical" || own.some(({ code }) => code === LEXICAL_ONLY);
    return { ...answer, notices: [...own, ...(isLexical ? [] : this.#failing()), ...told] };
  }

  /** Without an embedder there are vectors all the same: it is not known what to ask them with. */
  #explained(notice: Notice): readonly Notice[] {
    if (notice.code !== LEXICAL_ONLY || this.#options.embedder !== null) return [notice];
    if (this.#options.wordsOnly === true) return [];
    const message = `Only words were matched: what made the vectors of ${this.name} is not named. Attach it again with --embedder.`;
    return [{ code: LEXICAL_ONLY, message }];
  }

  /** Servers that this answer did without. */
  #failing(): readonly Notice[] {
    if (this.#options.embedder === null) return [];
    return (this.#options.failing?.() ?? []).map(({ address, error }) => ({
      code: "replica_failed",
      message: `${address} failed and is passed over for a while; another server that holds ${this.name} answered. ${error.message}`,
    }));
  }

  async grep(query: GrepQuery): Promise<GrepAnswer> {
    const [answer, age] = await Promise.all([this.#words.grep(query), this.#options.age()]);
    return { ...answer, notices: [...answer.notices, ...age] };
  }

  read(query: ReadQuery): Promise<readonly Chunk[]> {
    return this.#words.read(query);
  }

  documents(query: DocumentsQuery): Promise<DocumentsAnswer> {
    return this.#words.documents(query);
  }

  async close(): Promise<void> {
    await this.#words.close();
    await this.#options.close();
  }
}

/** The store of words with the collection's nearness in place of vectors of its own. For reading only. */
function withDense(store: Store, dense: DenseSide): Store {
  return {
    openReader: async (at) => denseReader(await store.openReader(at), dense),
    openWriter: (at) => store.openWriter(at),
    createWriter: (table) => store.createWriter(table),
    dropOtherTables: (table) => store.dropOtherTables(table),
    close: () => store.close(),
  };
}

function denseReader(words: StoreReader, dense: DenseSide): StoreReader {
  return {
    capabilities: {
      ...words.capabilities,
      dense: true,
      exclusion: { ...words.capabilities.exclusion, dense: "overfetch" },
    },
    lexical: (query) => words.lexical(query),
    dense: (query) => dense.candidates(words, query),
    chunks: (ids, signal) => words.chunks(ids, signal),
    chunksOf: (ids, range, signal) => words.chunksOf(ids, range, signal),
    spansOf: (ids, signal) => words.spansOf(ids, signal),
    documentsWhere: (filter, signal) => words.documentsWhere(filter, signal),
    scan: (signal) => words.scan(signal),
    rows: (signal) => words.rows(signal),
    counts: () => words.counts(),
    close: () => words.close(),
  };
}
