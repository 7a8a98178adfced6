import { systemClock } from "../../core/clock.ts";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import type { Chunk, Notice } from "../../core/types.ts";
import type { FolderCorpus } from "../corpus/folder-corpus.ts";
import { openCorpus } from "../corpus/open-corpus.ts";
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
import type { EmbedQuery } from "../find/embed-query.ts";
import type { ScorePassages } from "../find/score-passages.ts";
import type { Mirror, Mirrored } from "./mirror.ts";

/** How long what was seen at the address holds: a call after that has somebody look again, and does not wait for it. */
export const LOOK_MS = 5_000;
/** A look beside the work is one request: the next one is not far. */
const LOOK_ATTEMPTS_MAX = 1;

export interface OpenPublishedOptions {
  readonly name: string;
  readonly mirror: Mirror;
  readonly embedQuery?: EmbedQuery;
  readonly scorePassages?: ScorePassages;
  readonly lookMs?: number;
  readonly now?: () => number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens what is published at an address, through its mirror. Rejects as `Mirror.sync` does; where the server cannot be
 * reached or is overloaded, and a state was fetched before, that state is opened and every answer says so.
 */
export async function openPublished(options: OpenPublishedOptions): Promise<CorpusReader> {
  const { mirrored, failure } = await options.mirror.syncOrPresent({ signal: options.signal });
  return PublishedCorpus.open(options, mirrored, failure);
}

interface Held {
  readonly folder: string;
  readonly corpus: FolderCorpus;
  /** Calls that are using it. */
  users: number;
}

/**
 * A published corpus for reading. Calls never wait for the network: when the last look at the address is old, one begins
 * beside the call, and what it finds holds from the next call on. A look that fails leaves what there is, with a notice.
 */
class PublishedCorpus implements CorpusReader {
  readonly name: string;
  readonly #options: OpenPublishedOptions;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  #held: Held;
  #mirrored: Mirrored;
  #failure: WinnowError | undefined;
  #lookedMs: number;
  #looking: Promise<void> | undefined;

  static async open(
    options: OpenPublishedOptions,
    mirrored: Mirrored,
    failure: WinnowError | undefined,
  ): Promise<PublishedCorpus> {
    return new PublishedCorpus(options, mirrored, await openFolder(options, mirrored.folder), failure);
  }

  private constructor(
    options: OpenPublishedOptions,
    mirrored: Mirrored,
    corpus: FolderCorpus,
    failure: WinnowError | undefined,
  ) {
    this.name = options.name;
    this.#options = options;
    this.#now = options.now ?? systemClock.now;
    this.#mirrored = mirrored;
    this.#held = { folder: mirrored.folder, corpus, users: 0 };
    this.#failure = failure;
    this.#lookedMs = this.#now();
  }

  async info(): Promise<CorpusInfo> {
    const info = await this.#use((corpus) => corpus.info());
    return { ...info, location: this.#options.mirror.store.address.text };
  }

  documentsOf(key: string): Promise<readonly string[]> {
    return this.#use((corpus) => corpus.documentsOf(key));
  }

  find(query: FindQuery): Promise<FindAnswer> {
    return this.#noticed((corpus) => corpus.find(query));
  }

  grep(query: GrepQuery): Promise<GrepAnswer> {
    return this.#noticed((corpus) => corpus.grep(query));
  }

  read(query: ReadQuery): Promise<readonly Chunk[]> {
    return this.#use((corpus) => corpus.read(query));
  }

  documents(query: DocumentsQuery): Promise<DocumentsAnswer> {
    return this.#noticed((corpus) => corpus.documents(query));
  }

  async close(): Promise<void> {
    this.#closing.abort(new WinnowError("cancelled", `The corpus ${this.name} is closed.`));
    await this.#looking;
    await this.#held.corpus.close();
  }

  async #noticed<Answer extends { readonly notices?: readonly Notice[] }>(
    work: (corpus: FolderCorpus) => Promise<Answer>,
  ): Promise<Answer> {
    const answer = await this.#use(work);
    const notice = this.#notice();
    return notice === undefined ? answer : { ...answer, notices: [...(answer.notices ?? []), notice] };
  }

  #notice(): Notice | undefined {
    if (this.#failure === undefined) return undefined;
    const { manifest, publishedAt } = this.#mirrored.publication;
    const state = `generation ${manifest.generation}, published ${publishedAt}`;
    return { code: "stale_index", message: `${this.#failure.message} What is searched of ${this.name} is ${state}.` };
  }

  async #use<T>(work: (corpus: FolderCorpus) => Promise<T>): Promise<T> {
    if (this.#closing.signal.aborted) throw new WinnowError("internal", `The corpus ${this.name} is closed.`);
    if (this.#now() - this.#lookedMs >= (this.#options.lookMs ?? LOOK_MS)) this.#look();
    try {
      return await this.#with(work);
    } catch (error) {
      const failure = toWinnowError(error, "store_failed");
      if (failure.code !== "corpus_corrupt" && failure.code !== "corpus_not_found") throw failure;
      // What was fetched is damaged, or another process has moved it: both are mended by fetching it again.
      await this.#repair(failure);
      return this.#with(work);
    }
  }

  async #with<T>(work: (corpus: FolderCorpus) => Promise<T>): Promise<T> {
    const held = this.#held;
    held.users++;
    try {
      return await work(held.corpus);
    } finally {
      held.users--;
      if (held !== this.#held && held.users === 0) await held.corpus.close();
    }
  }

  async #repair(damage: WinnowError): Promise<void> {
    await this.#looking;
    try {
      await this.#hold(await this.#options.mirror.sync({ checks: true, signal: this.#closing.signal }));
    } catch (error) {
      const { message } = toWinnowError(error, "store_failed");
      throw new WinnowError(damage.code, `${damage.message} It cannot be fetched again: ${message}`, {
        hint: "Try again once the object store can be reached.",
        cause: error,
      });
    }
  }

  #look(): void {
    this.#looking ??= this.#lookNow().finally(() => {
      this.#lookedMs = this.#now();
      this.#looking = undefined;
    });
  }

  async #lookNow(): Promise<void> {
    try {
      const call = { signal: this.#closing.signal, attemptsMax: LOOK_ATTEMPTS_MAX, waits: false };
      await this.#hold(await this.#options.mirror.sync(call));
      this.#failure = undefined;
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#failure = toWinnowError(error, "store_failed");
    }
  }

  /** A folder of the same name moves to its next state by itself. */
  async #hold(mirrored: Mirrored): Promise<void> {
    this.#mirrored = mirrored;
    const before = this.#held;
    if (before.folder === mirrored.folder) return;
    this.#held = { folder: mirrored.folder, corpus: await openFolder(this.#options, mirrored.folder), users: 0 };
    if (before.users === 0) await before.corpus.close();
  }
}

function openFolder({ name, embedQuery, scorePassages }: OpenPublishedOptions, folder: string): Promise<FolderCorpus> {
  const models = { ...(embedQuery && { embedQuery }), ...(scorePassages && { scorePassages }) };
  return openCorpus(folder, { name, isElsewhere: true, ...models });
}
