import { basename } from "node:path";
import { fileTypeOf } from "../../sources/files/file-type.ts";
import { IGNORE_FILES } from "../../sources/files/ignore-rules.ts";
import { OPT_OUT_MARKER } from "../../sources/files/roots.ts";

/** True for a file that decides what of its folder is read. */
export function isControlFile(path: string): boolean {
  const name = basename(path);
  return name === OPT_OUT_MARKER || IGNORE_FILES.includes(name);
}

/** False for what no listing goes into or reads, such as `.git` and the swap files of editors. */
export function isWatchedName(path: string): boolean {
  const name = basename(path);
  if (name === "node_modules") return false;
  return !name.startsWith(".") || isControlFile(path) || fileTypeOf(name) !== undefined;
}
