import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

// Missing on Windows, where opening never waits.
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** What lies at a path is no file that can be read as a whole; its message says why, as a part of a sentence. */
export class UnusableFile extends Error {}

/**
 * Opens a file for reading and never waits for a writer: a pipe, a folder or a device in its place rejects with
 * `UnusableFile`, all else with the error of the system.
 */
export async function openPlain(path: string, moreFlags = 0): Promise<FileHandle> {
  const file = await open(path, FLAGS | moreFlags);
  try {
    if (!(await file.stat()).isFile()) throw new UnusableFile("it is not a file");
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The text of a file. Rejects as `openPlain` does, and with `UnusableFile` for one of more bytes than `bytesMax`. */
export async function readPlain(path: string, bytesMax: number): Promise<string> {
  const file = await openPlain(path);
  try {
    return await readText(file, bytesMax);
  } finally {
    await file.close();
  }
}

/** The same of an open file. */
export async function readText(file: FileHandle, bytesMax: number): Promise<string> {
  const { size } = await file.stat();
  if (size > bytesMax) throw new UnusableFile(`it has ${size} bytes, more than it can ever have`);
  return file.readFile("utf8");
}
