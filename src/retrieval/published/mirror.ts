import { mkdir, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod/mini";
import { systemClock } from "../../core/clock.ts";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import { inTurns } from "../../core/in-turns.ts";
import { spokenTime, timeLimit } from "../../core/time-limit.ts";
import { corpusLayout } from "../corpus/layout.ts";
import { readManifest, writeCorpusFile, writeManifestAlone } from "../corpus/manifest.ts";
import { readSealed, writeSealed } from "../corpus/sealed-file.ts";
import { lockWriter, systemProcesses } from "../corpus/writer-lock.ts";
import type { ObjectStore } from "../objects/object-store.ts";
import type { Call } from "../objects/requests.ts";
import { clearMirror } from "./clear-mirror.ts";
import { sha256OfFile } from "./index-files.ts";
import { MIRROR_FILE, makeRoom } from "./make-room.ts";
import {
  type FoundPublication,
  type Publication,
  type PublishedFile,
  parsePublication,
  readPublication,
  sealPublication,
} from "./publication.ts";

/** Files that are fetched at the same time. */
const DOWNLOADS_MAX = 4;
/** Where something is here already, nobody waits longer for what the address holds now. */
const MANIFEST_MS = 10_000;
/** While another process brings the mirror up to date, whoever has to wait for it looks again after so long. */
const LOCKED_WAIT_MS = 100;

const FORMAT = { name: "mirror", version: 1 };
const stateSchema = z.object({ etag: z.string(), edition: z.int().check(z.positive()), publication: z.string() });

/** A published index as it lies on this machine. */
export interface Mirrored {
  /** The corpus folder. It changes when files of the same name are to hold something else than before. */
  readonly folder: string;
  readonly publication: Publication;
}

interface MirrorState extends Mirrored {
  readonly etag: string;
  readonly edition: number;
}

export interface MirrorOptions {
  readonly store: ObjectStore;
  /** Folder of this address's mirror. Others may use it at the same time. */
  readonly folder: string;
  /** Room that it and those beside it may take up together. */
  readonly bytesMax: number;
  readonly now?: () => number;
  readonly manifestMs?: number;
}

export interface SyncOptions extends Call {
  /** Where another process is at it: false resolves with what there is, true waits for it. Default true. */
  readonly waits?: boolean;
  /** Reads every file that is there, and fetches those anew that are not what was published. */
  readonly checks?: boolean;
}

/**
 * A published index, kept on this machine as a corpus folder like any other: files are fetched once, checked against
 * their hashes, and the manifest is put in place last, so that readers see one whole state or another.
 */
export class Mirror {
  readonly store: ObjectStore;
  readonly folder: string;
  readonly #bytesMax: number;
  readonly #now: () => number;
  readonly #manifestMs: number;
  readonly #stateFile: string;

  constructor({ store, folder, bytesMax, now = systemClock.now, manifestMs = MANIFEST_MS }: MirrorOptions) {
    this.store = store;
    this.folder = folder;
    this.#bytesMax = bytesMax;
    this.#now = now;
    this.#manifestMs = manifestMs;
    this.#stateFile = join(folder, MIRROR_FILE);
  }

  /** What is here already, whole; undefined where there is nothing. */
  async #present(): Promise<MirrorState | undefined> {
    try {
      const body = (await readSealed(this.#stateFile, FORMAT))?.body;
      const parsed = stateSchema.safeParse(body);
      if (!parsed.success) return undefined;
      const { etag, edition } = parsed.data;
      const publication = parsePublication(parsed.data.publication, this.#stateFile);
      const folder = this.#editionFolder(edition);
      const manifest = (await readManifest(corpusLayout(folder)))?.manifest;
      const isWhole = manifest?.updatedAt === publication.manifest.updatedAt;
      return isWhole ? { etag, edition, publication, folder } : undefined;
    } catch (error) {
      // Whatever is wrong with a mirror, it can be fetched again.
      if (WinnowError.isInstance(error) && /^corpus_(corrupt|format)$/.test(error.code)) return undefined;
      throw error;
    }
  }

  #editionFolder(edition: number): string {
    return join(this.folder, String(edition));
  }

  /**
   * Brings what is published here. Costs one request where that is here already. Rejects with `corpus_not_found` where
   * nothing is published, with `limit_exceeded` where it is larger than a mirror may be, with `corpus_corrupt` or
   * `corpus_format` where it cannot be used, and as `ObjectStore` does; then what was here before is as it was.
   */
  async sync({ waits = true, checks = false, ...call }: SyncOptions = {}): Promise<Mirrored> {
    for (;;) {
      const present = await this.#present();
      const found = await this.#look(present, checks ? undefined : present?.etag, call);
      if (found === undefined) throw nothingThere(this.store);
      if (found === "unchanged") {
        await this.#touch();
        return present as MirrorState;
      }
      const { files } = found.publication;
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      if (bytes > this.#bytesMax) throw tooLarge(this.store, bytes, this.#bytesMax);
      const fetched = await this.#locked(() => this.#fetch(found, checks, call));
      if (fetched !== undefined) return fetched;
      if (!waits && present !== undefined) return present;
      await sleep(LOCKED_WAIT_MS, undefined, call.signal === undefined ? {} : { signal: call.signal }).catch(
        (error: unknown) => {
          throw toWinnowError(call.signal?.reason ?? error);
        },
      );
    }
  }

  #look(present: Mirrored | undefined, unless: string | undefined, call: Call) {
    if (present === undefined) return readPublication(this.store, unless, call);
    const limit = timeLimit(this.#manifestMs, () => slow(this.store, this.#manifestMs), call.signal);
    return limit
      .within(readPublication(this.store, unless, { ...call, signal: limit.signal }))
      .finally(() => limit.end());
  }

  /**
   * As `sync`; where the server cannot be reached or is overloaded and something was fetched before, that, with what went
   * wrong.
   */
  async syncOrPresent(call: Call): Promise<{ readonly mirrored: Mirrored; readonly failure?: WinnowError }> {
    try {
      return { mirrored: await this.sync(call) };
    } catch (error) {
      const failure = toWinnowError(error, "store_failed");
      const mirrored = failure.retryable ? await this.#present() : undefined;
      if (mirrored === undefined) throw failure;
      return { mirrored, failure };
    }
  }

  /** Undefined where another process is bringing the mirror up to date. */
  async #locked(work: () => Promise<Mirrored>): Promise<Mirrored | undefined> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const lock = await lockWriter(join(this.folder, "writer.lock"), this.#now, systemProcesses).catch(
      (error: unknown) => {
        if (WinnowError.isInstance(error) && error.code === "corpus_locked") return undefined;
        throw error;
      },
    );
    if (lock === undefined) return undefined;
    try {
      return await work();
    } catch (error) {
      throw toWinnowError(error, "store_failed");
    } finally {
      await lock.release();
    }
  }

  async #fetch({ publication, etag }: FoundPublication, checks: boolean, call: Call): Promise<Mirrored> {
    // Another process may have come first.
    const before = await this.#present();
    const edition = before === undefined ? await this.#freshEdition() : editionFor(before, publication);
    const folder = this.#editionFolder(edition);
    const layout = corpusLayout(folder);
    const { files, manifest } = publication;
    await inTurns(files, DOWNLOADS_MAX, async (file) => {
      const path = join(folder, file.path);
      if (await isThere(path, file, checks, call.signal)) return;
      await this.store.download(file.key, path, { bytes: file.bytes, sha256: file.sha256 }, call);
    });
    // Written once: its time tells how long readers have had to move here.
    if (edition !== before?.edition) await writeCorpusFile(layout, manifest.identity);
    await writeManifestAlone(layout, manifest);
    await this.#note(edition, etag, publication);
    await clearMirror(this.folder, edition, publication, this.#now());
    await makeRoom(this.folder, this.#bytesMax, this.#now());
    return { folder, publication };
  }

  async #note(edition: number, etag: string, publication: Publication): Promise<void> {
    const text = Buffer.from(sealPublication(publication)).toString("utf8");
    await writeSealed(this.#stateFile, FORMAT, { etag, edition, publication: text });
  }

  /** Mirrors that nobody has looked at for long make room for others. */
  async #touch(): Promise<void> {
    const now = new Date(this.#now());
    await utimes(this.#stateFile, now, now).catch(() => undefined);
  }

  /** Behind a mirror that cannot be used: in a place of its own, where nothing of it lies. */
  async #freshEdition(): Promise<number> {
    for (let edition = 1; ; edition++) {
      const isTaken = await readManifest(corpusLayout(this.#editionFolder(edition))).then(
        (found) => found !== undefined,
        () => true,
      );
      if (!isTaken) return edition;
    }
  }
}

/** The same place, unless files of it would have to hold something else. */
function editionFor({ edition, publication: before }: MirrorState, next: Publication): number {
  const held = new Map(before.files.map(({ path, sha256 }) => [path, sha256]));
  const isOther = next.files.some(({ path, sha256 }) => (held.get(path) ?? sha256) !== sha256);
  return isOther ? edition + 1 : edition;
}

async function isThere(
  path: string,
  { bytes, sha256 }: PublishedFile,
  checks: boolean,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const size = await stat(path).then(
    (found) => found.size,
    () => undefined,
  );
  if (size !== bytes) return false;
  return !checks || (await sha256OfFile(path, signal)) === sha256;
}

function nothingThere({ address, where }: ObjectStore): WinnowError {
  return new WinnowError("corpus_not_found", `Nothing is published at ${address.text} (${where}).`, {
    hint: `Publish an index there, where it was made, with: winnow copy . ${address.text}`,
  });
}

function slow({ where }: ObjectStore, ms: number): WinnowError {
  return new WinnowError("timeout", `${where} did not answer within ${spokenTime(ms)}.`, {
    hint: "The object store is slow or down: try again later.",
    retryable: true,
  });
}

function tooLarge({ address }: ObjectStore, bytes: number, bytesMax: number): WinnowError {
  const gigabytes = (count: number): string => `${(count / 1e9).toFixed(1)} GB`;
  return new WinnowError(
    "limit_exceeded",
    `The index at ${address.text} has ${gigabytes(bytes)}; up to ${gigabytes(bytesMax)} are kept on this machine.`,
    { hint: 'Raise "mirrorGigabytes" in your own configuration, if there is room.' },
  );
}
