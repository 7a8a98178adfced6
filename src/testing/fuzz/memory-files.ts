import { dirname } from "node:path";
import type { EntryStat, FileSystem, FolderEntry } from "../../sources/files/file-system.ts";

const MTIME_MS = Date.UTC(2026, 4, 14);

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: no such file or directory, open '${path}'`), { code });
}

/** A file system that holds these files, by absolute POSIX path, and the folders they lie in. Links do not exist in it. */
export function memoryFileSystem(files: ReadonlyMap<string, Buffer>): FileSystem {
  const folders = new Set<string>();
  for (const path of files.keys()) {
    for (let folder = dirname(path); !folders.has(folder); folder = dirname(folder)) folders.add(folder);
  }
  const entry = (path: string) => ({
    isFile: () => files.has(path),
    isDirectory: () => folders.has(path),
    isSymbolicLink: () => false,
  });
  const stat = async (path: string): Promise<EntryStat> => {
    if (!files.has(path) && !folders.has(path)) throw failure("ENOENT", path);
    return { ...entry(path), size: files.get(path)?.length ?? 0, mtimeMs: MTIME_MS, ctimeMs: MTIME_MS };
  };
  return {
    stat,
    lstat: stat,
    async realpath(path) {
      await stat(path);
      return path;
    },
    async readdir(path) {
      const all = [...files.keys(), ...folders].filter((one) => one !== path && dirname(one) === path);
      return all.map((one): FolderEntry => ({ name: one.slice(path.length + 1), ...entry(one) }));
    },
    async open(path) {
      const bytes = files.get(path);
      if (bytes === undefined) throw failure("ENOENT", path);
      let position = 0;
      return {
        stat: () => stat(path),
        async read(buffer) {
          const bytesRead = bytes.copy(buffer, 0, position);
          position += bytesRead;
          return { bytesRead };
        },
        async close() {},
      };
    },
  };
}
