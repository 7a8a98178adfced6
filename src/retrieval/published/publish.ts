import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { systemErrorCode, toWinnowError, WinnowError } from "../../core/errors.ts";
import { inTurns } from "../../core/in-turns.ts";
import { corpusLayout } from "../corpus/layout.ts";
import { type Manifest, readManifest, sameStamp, stampManifest } from "../corpus/manifest.ts";
import { damaged } from "../corpus/sealed-file.ts";
import type { ListedObject, ObjectStore } from "../objects/object-store.ts";
import { type IndexFile, indexFiles, sha256OfFile } from "./index-files.ts";
import {
  type FoundPublication,
  MANIFEST_KEY,
  OBJECTS,
  PUBLISHED_FILES_MAX,
  type Publication,
  type PublishedFile,
  type RetiredObjects,
  readPublication,
  sealPublication,
} from "./publication.ts";
import { noteBegun, noteMade, ownPublications } from "./publish-mark.ts";

/** Files that are sent at the same time. */
const UPLOADS_MAX = 4;
/** Objects that a publication no longer names stay this long for readers who are still fetching them. */
export const RETIRED_MS = 60 * 60_000;
/** Objects that no publication has ever named are of one that was interrupted: it may go on with them for so long. */
const ORPHAN_MS = 24 * 60 * 60_000;
/** A publication that met an index being written starts again on what is committed by then, at most this often. */
const RESTARTS_MAX = 5;

export interface PublishProgress {
  readonly files: number;
  readonly filesTotal: number;
  readonly bytes: number;
  readonly bytesTotal: number;
}

export interface PublishOptions {
  /** The corpus folder. */
  readonly folder: string;
  readonly store: ObjectStore;
  /** Publishes also over what is not this index's own. */
  readonly replace?: boolean;
  readonly signal: AbortSignal;
  /** Must not throw. */
  readonly onProgress?: ((progress: PublishProgress) => void) | undefined;
}

export interface PublishOutcome {
  readonly manifest: Manifest;
  /** The files of the index, and those of them that were not there yet. */
  readonly files: number;
  readonly bytes: number;
  readonly uploaded: number;
  readonly uploadedBytes: number;
  /** Objects that nobody needs any more, and that were deleted. */
  readonly removed: number;
}

/**
 * Publishes the committed state of an index at an address: sends what is not there yet, then replaces the manifest, if it
 * is still the one that was found. A kill at any moment leaves what was published before; the next call goes on with what
 * was sent. Rejects with `corpus_locked` where another publication came in between, with `invalid_argument` where what is
 * there is not this index's own, with `corpus_not_found` where there is no index, and as `ObjectStore` does.
 */
export async function publishIndex(options: PublishOptions): Promise<PublishOutcome> {
  const layout = corpusLayout(options.folder);
  for (let restarts = 0; ; restarts++) {
    const stamp = await stampManifest(layout);
    try {
      return await new Publisher(options).publish();
    } catch (error) {
      // An index that is written meanwhile loses files that only its last state needed.
      const isGone = systemErrorCode(error) === "ENOENT" || error === REPLACED;
      if (!isGone) throw toWinnowError(options.signal.aborted ? options.signal.reason : error, "store_failed");
      const isSame = sameStamp(stamp, await stampManifest(layout));
      if (isSame) throw damaged(layout.storeFolder, "a file of it is missing", error);
      if (restarts >= RESTARTS_MAX) throw unsteady();
    }
  }
}

const REPLACED = new Error("The index was changed while its files were listed.");

interface Sent {
  readonly files: readonly PublishedFile[];
  readonly uploaded: number;
  readonly uploadedBytes: number;
}

class Publisher {
  readonly #options: PublishOptions;
  readonly #layout;
  readonly #store: ObjectStore;
  readonly #signal: AbortSignal;
  readonly #id = randomBytes(8).toString("hex");

  constructor(options: PublishOptions) {
    this.#options = options;
    this.#layout = corpusLayout(options.folder);
    this.#store = options.store;
    this.#signal = options.signal;
  }

  async publish(): Promise<PublishOutcome> {
    const committed = await readManifest(this.#layout);
    if (committed === undefined) {
      throw new WinnowError("corpus_not_found", `There is no finished index in ${this.#layout.folder}.`, {
        hint: "Run `winnow index` to build it.",
      });
    }
    const { copiedFrom, ...manifest } = committed.manifest;
    const found = await this.#found();
    await this.#checkOwn(found);
    if (found !== undefined && JSON.stringify(found.publication.manifest) === JSON.stringify(manifest)) {
      const { files } = found.publication;
      return { manifest, files: files.length, bytes: totalBytes(files), uploaded: 0, uploadedBytes: 0, removed: 0 };
    }
    const local = await indexFiles(this.#layout, committed.manifest);
    // Only a state that is still committed is sure to have been listed whole.
    if (!sameStamp(committed.stamp, await stampManifest(this.#layout))) throw REPLACED;
    if (local.length > PUBLISHED_FILES_MAX) {
      throw new WinnowError("limit_exceeded", `The index has more than ${PUBLISHED_FILES_MAX} files.`, {
        hint: "Make it anew with: winnow index --rebuild",
      });
    }
    const listed = await this.#store.list(OBJECTS, { signal: this.#signal });
    if (found === undefined) await this.#checkConditions();
    const sent = await this.#send(local, found, listed);
    const retired = retiredBehind(found, sent.files);
    await this.#commit(
      { id: this.#id, publishedAt: new Date().toISOString(), manifest, files: sent.files, retired },
      found,
    );
    const removed = await this.#sweep(found, listed, [...sent.files.map(({ key }) => key), ...keysOf(retired)]);
    const { uploaded, uploadedBytes } = sent;
    return { manifest, files: sent.files.length, bytes: totalBytes(sent.files), uploaded, uploadedBytes, removed };
  }

  async #found(): Promise<FoundPublication | undefined> {
    const found = await readPublication(this.#store, undefined, { signal: this.#signal });
    return found === "unchanged" ? undefined : found;
  }

  /** One index does not take the place of another, nor of a state that it does not know, unless that is what is wanted. */
  async #checkOwn(found: FoundPublication | undefined): Promise<void> {
    if (found === undefined || this.#options.replace === true) return;
    const own = await ownPublications(this.#layout, this.#store.identity);
    if (own.has(found.publication.id)) return;
    const { publishedAt, manifest } = found.publication;
    const what = own.size === 0 ? "another index" : "a state that was published from elsewhere";
    throw new WinnowError(
      "invalid_argument",
      `${this.#store.address.text} holds ${what}: generation ${manifest.generation} of ${publishedAt}.`,
      { hint: "Publish over it with --replace, or name another address." },
    );
  }

  /** Without conditional writes two publishers would overwrite each other without a word. */
  async #checkConditions(): Promise<void> {
    const probe = `${OBJECTS}${createHash("sha256").digest("hex")}`;
    const write = () => this.#store.write(probe, new Uint8Array(), "ifAbsent", { signal: this.#signal });
    await write();
    if (!(await write())) return;
    throw new WinnowError("store_failed", `${this.#store.where} does not heed conditions on writes.`, {
      hint: "Publishing needs a server that knows If-None-Match and If-Match, such as S3, R2 or MinIO.",
    });
  }

  async #send(
    local: readonly IndexFile[],
    found: FoundPublication | undefined,
    listed: readonly ListedObject[],
  ): Promise<Sent> {
    const there = new Map(found?.publication.files.map((file) => [file.path, file]));
    const objects = new Map(listed.map((object) => [object.key, object]));
    const named = new Set([
      ...(found?.publication.files ?? []).map(({ key }) => key),
      ...keysOf(found?.publication.retired ?? []),
    ]);
    const total = totalBytes(local);
    let [done, doneBytes, uploaded, uploadedBytes] = [0, 0, 0, 0];
    const sendOne = async (file: IndexFile): Promise<PublishedFile> => {
      const known = there.get(file.path);
      if (known !== undefined && file.isUnique && known.bytes === file.bytes) return known;
      const path = join(this.#layout.folder, file.path);
      const content = { bytes: file.bytes, sha256: await sha256OfFile(path, this.#signal) };
      const plain = `${OBJECTS}${content.sha256}`;
      const object = objects.get(plain);
      if (object?.bytes === file.bytes && (named.has(plain) || isFresh(object, found))) {
        return { path: file.path, ...content, key: plain };
      }
      // Whoever published last may be deleting that object right now.
      const key = object === undefined ? plain : `${plain}-${this.#id}`;
      await this.#store.upload(key, path, content, { signal: this.#signal });
      uploaded++;
      uploadedBytes += file.bytes;
      return { path: file.path, ...content, key };
    };
    const files = await inTurns(local, UPLOADS_MAX, async (file) => {
      this.#signal.throwIfAborted();
      const sent = await sendOne(file);
      done++;
      doneBytes += file.bytes;
      this.#options.onProgress?.({ files: done, filesTotal: local.length, bytes: doneBytes, bytesTotal: total });
      return sent;
    });
    return { files, uploaded, uploadedBytes };
  }

  async #commit(publication: Publication, found: FoundPublication | undefined): Promise<void> {
    await noteBegun(this.#layout, this.#store.identity, found?.publication.id ?? null, publication.id);
    const condition = found === undefined ? "ifAbsent" : { ifMatch: found.etag };
    const call = { signal: this.#signal };
    const isMade = await this.#store.write(MANIFEST_KEY, sealPublication(publication), condition, call);
    if (!isMade) {
      // An answer that was lost on its way makes the second attempt find its own work.
      const now = await this.#found();
      if (now?.publication.id !== publication.id) throw overtaken(this.#store, now);
    }
    await noteMade(this.#layout, this.#store.identity, publication.id);
  }

  /**
   * Deletes what no reader and no publisher can be using: objects that were retired long ago, and those of publications
   * that were interrupted long ago. Whoever publishes behind this one does not build on an object that it finds unnamed
   * here and older than this publication (`isFresh`), so none can be needed again while it is deleted.
   */
  async #sweep(found: FoundPublication | undefined, listed: readonly ListedObject[], named: readonly string[]) {
    if (found === undefined) return 0;
    const kept = new Set(named);
    const retired = new Set(keysOf(found.publication.retired));
    const due = listed.filter(
      ({ key, modifiedMs }) =>
        !kept.has(key) &&
        (retired.has(key) || modifiedMs < found.serverMs - ORPHAN_MS) &&
        modifiedMs < found.modifiedMs,
    );
    // What cannot be deleted now is found again by the next publication.
    const gone = await inTurns(due, UPLOADS_MAX, ({ key }) =>
      this.#store.delete(key, { signal: this.#signal }).then(
        () => 1,
        () => 0,
      ),
    );
    return gone.reduce<number>((sum, one) => sum + one, 0);
  }
}

/** Written since the last publication: nobody deletes it before the next one. */
function isFresh(object: ListedObject, found: FoundPublication | undefined): boolean {
  return found === undefined || object.modifiedMs >= found.modifiedMs;
}

/** What was retired before and is not due yet, and what the files of the next publication do without. */
function retiredBehind(
  found: FoundPublication | undefined,
  files: readonly PublishedFile[],
): readonly RetiredObjects[] {
  if (found === undefined) return [];
  const next = new Set(files.map(({ key }) => key));
  const without = (keys: readonly string[]) => [...new Set(keys)].filter((key) => !next.has(key));
  const before = found.publication.retired.filter(({ atMs }) => found.serverMs - atMs <= RETIRED_MS);
  const now = { atMs: found.serverMs, keys: found.publication.files.map(({ key }) => key) };
  return [...before, now]
    .map(({ atMs, keys }) => ({ atMs, keys: without(keys) }))
    .filter(({ keys }) => keys.length > 0);
}

function keysOf(retired: readonly RetiredObjects[]): readonly string[] {
  return retired.flatMap(({ keys }) => keys);
}

function totalBytes(files: readonly { readonly bytes: number }[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

function overtaken(store: ObjectStore, now: FoundPublication | undefined): WinnowError {
  const which = now === undefined ? "" : ` (generation ${now.publication.manifest.generation})`;
  return new WinnowError(
    "corpus_locked",
    `${store.address.text} was published to by another process meanwhile${which}.`,
    {
      hint: "What it published stands. To publish this index over it, run the same command again with --replace.",
    },
  );
}

function unsteady(): WinnowError {
  return new WinnowError("store_failed", "The index was changed again and again while it was published.", {
    hint: "Run the same command again once `winnow index` has ended.",
    retryable: true,
  });
}
