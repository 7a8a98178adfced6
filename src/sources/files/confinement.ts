import { dirname, resolve } from "node:path";
import type { Skipped, SourceItem } from "../source.ts";
import { skippedBySystem } from "./file-error.ts";
import type { FileSystem } from "./file-system.ts";

/** Keeps reads inside the roots: a folder on the way to a file may have become a link since it was listed. */
export interface Confinement {
  /** Undefined when the item really lies in a root; else why it is not opened. */
  check(item: SourceItem): Promise<Skipped | undefined>;
}

export function confineTo(fileSystem: FileSystem, roots: readonly string[]): Confinement {
  const paths = roots.map((root) => resolve(root));
  const look = async () => {
    const found = await Promise.all(paths.map((path) => fileSystem.realpath(path).catch(() => undefined)));
    return new Set(found.filter((path) => path !== undefined));
  };
  let real: Promise<ReadonlySet<string>> | undefined;
  return {
    async check(item) {
      let target: string;
      try {
        target = await fileSystem.realpath(item.location);
      } catch (error) {
        return skippedBySystem(item.key, error);
      }
      real ??= look();
      if (isCovered(await real, target)) return undefined;
      // A root may have been created or replaced since the last look.
      real = look();
      if (isCovered(await real, target)) return undefined;
      return { key: item.key, reason: "outside_root", detail: "It does not lie in a folder that was named." };
    },
  };
}

function isCovered(roots: ReadonlySet<string>, target: string): boolean {
  for (let path = target; ; path = dirname(path)) {
    if (roots.has(path)) return true;
    if (dirname(path) === path) return false;
  }
}
