import { constants } from "node:fs";
import { lstat, open, readdir, realpath, stat } from "node:fs/promises";

/** What the files source needs of a file's entry in its folder. */
export interface EntryStat {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

export interface FolderEntry {
  readonly name: string;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

export interface OpenFile {
  stat(): Promise<EntryStat>;
  /** Reads into `buffer` at the current position; 0 at the end. */
  read(buffer: Uint8Array): Promise<{ readonly bytesRead: number }>;
  close(): Promise<void>;
}

/** The file system as this source uses it, passed in so that tests can make any call fail. */
export interface FileSystem {
  readdir(path: string): Promise<readonly FolderEntry[]>;
  lstat(path: string): Promise<EntryStat>;
  stat(path: string): Promise<EntryStat>;
  realpath(path: string): Promise<string>;
  /** Opens for reading. Never waits for a writer (fifo) and never follows a link in the last part of the path. */
  open(path: string): Promise<OpenFile>;
}

// Both flags are missing on Windows, which has neither fifos nor links of this kind in its folders.
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

export const nodeFileSystem: FileSystem = {
  readdir: (path) => readdir(path, { withFileTypes: true }),
  lstat: (path) => lstat(path),
  stat: (path) => stat(path),
  realpath: (path) => realpath(path),
  open: (path) => open(path, OPEN_FLAGS),
};
