import { createHash } from "node:crypto";
import { cleanText } from "../redaction/clean-text.ts";
import { redact } from "../redaction/redact.ts";

/** Hex digits that keep two names apart whose secrets leave nothing to tell them by. */
const NAME_DIGITS = 8;
const EXTENSION = /\.jsonl$/i;

/**
 * The key of a transcript without the secrets in the names of its file and folders, below the roots: it becomes ids, places
 * and lines of a status. The same for the same path, and another one for every other. The roots themselves the user named.
 */
export function shownKey(key: string, roots: ReadonlySet<string>): string {
  const root = rootOf(key, roots);
  const rest = key.slice(root.length);
  const shown = rest.split("/").map(shownName).join("/");
  return shown === rest ? key : `${root}${shown}`;
}

/** The longest root above the key with its slash; of a file that was named itself, its folder. */
function rootOf(key: string, roots: ReadonlySet<string>): string {
  for (let end = key.lastIndexOf("/"); end > 0; end = key.lastIndexOf("/", end - 1)) {
    if (roots.has(key.slice(0, end))) return key.slice(0, end + 1);
  }
  return roots.has(key) ? key.slice(0, key.lastIndexOf("/") + 1) : "";
}

function shownName(name: string): string {
  const extension = EXTENSION.exec(name)?.[0] ?? "";
  const stem = name.slice(0, name.length - extension.length);
  const { text, found } = redact(cleanText(stem));
  if (found.length === 0) return name;
  const digits = createHash("sha256").update(name).digest("hex").slice(0, NAME_DIGITS);
  return `${text.replace(/\[redacted ([\w-]+)\]/g, "redacted-$1")}-${digits}${extension}`;
}
