import { createFilesSource } from "../sources/files/files-source.ts";

export interface FolderSize {
  readonly files: number;
  readonly bytes: number;
  /** True when counting stopped at a limit. */
  readonly over: boolean;
}

/** What indexing a folder would read, counted up to the given limits. */
export async function sizeFolder(
  folder: string,
  limits: { readonly filesMax: number; readonly bytesMax: number },
  signal: AbortSignal,
): Promise<FolderSize> {
  const source = await createFilesSource({ roots: [folder], base: folder });
  let files = 0;
  let bytes = 0;
  for await (const listed of source.list(signal)) {
    if (!("item" in listed)) continue;
    files++;
    bytes += listed.item.bytes;
    if (files > limits.filesMax || bytes > limits.bytesMax) return { files, bytes, over: true };
  }
  return { files, bytes, over: false };
}
