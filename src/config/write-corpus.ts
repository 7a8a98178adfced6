import type { WrittenCorpus } from "./corpora.ts";
import { editedJson, editFile } from "./write-file.ts";

/**
 * Puts a corpus into a configuration file, which is made where it does not exist; everything else in it stays as it is
 * written. The file is replaced whole or not at all. Rejects with `invalid_config` where the file is not a JSON object.
 */
export function writeCorpusEntry(file: string, name: string, entry: WrittenCorpus): Promise<void> {
  return editFile(file, (before) => editedJson(before, ["corpora", name], entry, file));
}
