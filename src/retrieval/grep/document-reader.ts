import { type FileHandle, open } from "node:fs/promises";
import type { OpenSegment } from "./collector.ts";
import { readDocument } from "./segment.ts";

/** Reads documents by their place and opens each segment once. Close it when done. */
export class DocumentReader {
  readonly #files = new Map<OpenSegment, Promise<FileHandle>>();

  async read({ segment, document }: { segment: OpenSegment; document: number }): Promise<Buffer> {
    let file = this.#files.get(segment);
    if (file === undefined) {
      file = open(segment.path, "r");
      this.#files.set(segment, file);
    }
    return readDocument(await file, segment, document);
  }

  async close(): Promise<void> {
    for (const file of this.#files.values()) {
      // A file that could not be opened has been reported by `read`.
      await file.then((opened) => opened.close()).catch(() => undefined);
    }
  }
}
