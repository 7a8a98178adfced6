import { readdir, stat } from "node:fs/promises";

interface Seen {
  readonly device: number;
  readonly inode: number;
  readonly isFolder: boolean;
  /** Of a file; undefined for a folder, whose content is watched. */
  readonly state: string | undefined;
}

/** What became of a root since the last look. */
export type RootChange = "same" | "changed" | "replaced";

/**
 * The roots of a watch. The rule of what is gone: a root that is not there, or that lies on another disk than when it was
 * first seen, keeps its documents until it is back; so does a folder that is empty when the watch begins, since that is
 * what the place of a disk looks like before it is mounted. Files that vanish from a root on the same disk are gone.
 */
export class WatchedRoots {
  readonly #trusted: ReadonlySet<string>;
  readonly #devices = new Map<string, number>();
  readonly #last = new Map<string, Seen | undefined>();
  readonly #emptyAtFirst = new Set<string>();
  #began = false;

  /** What the user named just now is read as it is, empty or not. */
  constructor(named: readonly string[]) {
    this.#trusted = new Set(named);
  }

  /** Why a root is not to be read now, as the end of a sentence about it; undefined where it is. */
  async problemOf(path: string): Promise<string | undefined> {
    const found = await look(path);
    if (found === undefined) return "is not there";
    const device = this.#devices.get(path);
    if (device !== undefined && device !== found.device) {
      return "lies on another disk than before, as if its own were not mounted";
    }
    const mayWait = this.#emptyAtFirst.has(path) || (!this.#began && !this.#trusted.has(path));
    if (mayWait && found.isFolder && (await isEmpty(path))) {
      this.#emptyAtFirst.add(path);
      return "is empty, as if its disk were not mounted";
    }
    this.#emptyAtFirst.delete(path);
    this.#devices.set(path, found.device);
    return undefined;
  }

  /** The first look at everything has ended: a root that is new from here on may be empty. */
  begin(): void {
    this.#began = true;
  }

  /** Compares a root with the last time it was asked for. */
  async changeOf(path: string): Promise<RootChange> {
    const before = this.#last.get(path);
    const isNew = !this.#last.has(path);
    const found = await look(path);
    this.#last.set(path, found);
    if (isNew) return "same";
    if (before?.device !== found?.device || before?.inode !== found?.inode) return "replaced";
    return before?.state === found?.state ? "same" : "changed";
  }
}

async function look(path: string): Promise<Seen | undefined> {
  try {
    const found = await stat(path);
    const isFolder = found.isDirectory();
    const state = isFolder ? undefined : `${found.size}:${found.mtimeMs}`;
    return { device: found.dev, inode: found.ino, isFolder, state };
  } catch {
    return undefined;
  }
}

async function isEmpty(path: string): Promise<boolean> {
  return readdir(path).then(
    (names) => names.length === 0,
    () => false,
  );
}
