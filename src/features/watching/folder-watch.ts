import { type FSWatcher, watch } from "node:fs";
import { dirname, join } from "node:path";
import { systemErrorCode } from "../../core/errors.ts";

/** What the system tells of a folder: the path that something happened to; undefined when it does not say which. */
type OnEvent = (path: string | undefined) => void;

/** One native watcher, given in so that tests can play the system; default `node:fs`. */
export type WatchPlace = (
  path: string,
  options: { readonly recursive: boolean },
  onEvent: (type: string, name: string | null) => void,
) => Pick<FSWatcher, "close" | "on">;

export interface FolderWatchOptions {
  readonly onEvent: OnEvent;
  /** The system gives no more watchers: from now on nothing is told any more. Called once. */
  readonly onLimit: (error: unknown) => void;
  /** True where one watcher covers a whole tree, as on macOS and Windows. */
  readonly recursive?: boolean;
  readonly watchPlace?: WatchPlace;
}

/** What a missing folder, or one that may not be read, is refused with: the listing tells of it. */
const PASSING: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ELOOP"]);

/**
 * Native watchers of exactly those folders that the listing reads: it announces each with `visit` just before it reads
 * it, so that nothing can slip in between, and what an ignore file keeps out costs no watcher. On Linux every folder
 * has one of its own, since Node's recursive watcher there takes one for every file and loses events; elsewhere every
 * root has one that covers its tree.
 */
export class FolderWatch {
  readonly #options: FolderWatchOptions;
  readonly #recursive: boolean;
  readonly #watchPlace: WatchPlace;
  /** Where `recursive`, roots only. */
  readonly #watchers = new Map<string, Pick<FSWatcher, "close">>();
  #visited = new Set<string>();
  #round: Set<string> | undefined;
  #closed = false;

  constructor(options: FolderWatchOptions) {
    this.#options = options;
    this.#recursive = options.recursive ?? (process.platform === "darwin" || process.platform === "win32");
    this.#watchPlace =
      options.watchPlace ?? ((path, how, onEvent) => watch(path, { ...how, persistent: false }, onEvent));
  }

  /** Folders that are watched. */
  get folders(): number {
    return this.#closed ? 0 : this.#visited.size;
  }

  /** A listing of everything begins: what it does not visit until `endRound` is watched no more. */
  beginRound(): void {
    this.#round = new Set();
  }

  /** Folders below this one are about to be visited. */
  root(path: string): void {
    if (this.#recursive) this.#watch(path);
  }

  /** `isWhole`: the listing came to its end. */
  endRound(isWhole: boolean): void {
    const round = this.#round;
    this.#round = undefined;
    if (round === undefined || !isWhole) return;
    for (const path of this.#visited) if (!round.has(path)) this.forget(path);
  }

  /** The folder is about to be read. */
  visit(path: string): void {
    if (this.#closed) return;
    this.#round?.add(path);
    if (this.#visited.has(path)) return;
    this.#visited.add(path);
    if (!this.#recursive) this.#watch(path);
  }

  /** The folder, and what lies below it, may be another one by now, under the same name. */
  forget(path: string): void {
    const below = join(path, "/");
    for (const folder of this.#visited) {
      if (folder !== path && !folder.startsWith(below)) continue;
      this.#visited.delete(folder);
      this.#watchers.get(folder)?.close();
      this.#watchers.delete(folder);
    }
  }

  close(): void {
    this.#closed = true;
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    this.#visited.clear();
  }

  #watch(path: string): void {
    if (this.#closed || this.#watchers.has(path)) return;
    try {
      const watcher = this.#watchPlace(path, { recursive: this.#recursive }, (type, name) => {
        this.#told(path, type, name);
      });
      watcher.on("error", (error) => this.#failed(path, error));
      this.#watchers.set(path, watcher);
    } catch (error) {
      this.#failed(path, error);
    }
  }

  #told(folder: string, type: string, name: string | null): void {
    if (this.#closed) return;
    if (name === null) {
      this.#options.onEvent(undefined);
      return;
    }
    const path = join(folder, name);
    if (this.#recursive && !this.#visited.has(dirname(path)) && !this.#visited.has(path)) return;
    // A folder that appears, goes or is moved: the watchers of what had that name are of no use any more.
    if (type === "rename" && this.#visited.has(path)) this.forget(path);
    this.#options.onEvent(path);
  }

  #failed(path: string, error: unknown): void {
    if (this.#closed) return;
    this.forget(path);
    if (PASSING.has(systemErrorCode(error) ?? "")) return;
    this.close();
    this.#options.onLimit(error);
  }
}
