import { systemErrorCode } from "../../core/errors.ts";
import type { Skipped, SkipReason } from "../source.ts";

const REASON_BY_CODE: Readonly<Record<string, SkipReason>> = {
  ENOENT: "vanished",
  ENOTDIR: "vanished",
  // Opened without following links: in place of the file there is a link now, a socket, a device, a folder.
  EMLINK: "not_a_file",
  ENXIO: "not_a_file",
  ENODEV: "not_a_file",
  EISDIR: "not_a_file",
  EOPNOTSUPP: "not_a_file",
};

/** What the system said about a path, as a reason to skip it. */
export function skippedBySystem(key: string, error: unknown): Skipped {
  const code = systemErrorCode(error);
  const reason = (code === undefined ? undefined : REASON_BY_CODE[code]) ?? "unreadable";
  return { key, reason, detail: `The system reports: ${systemSentence(error)}.` };
}

/** The system's reason without the path, which may be long and is known: `permission denied (EACCES)`. */
export function systemSentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = systemErrorCode(error);
  const sentence = /^[A-Z0-9]+: ([^,]+),/.exec(message)?.[1] ?? message.split("\n")[0] ?? message;
  return code === undefined || sentence.includes(code) ? sentence : `${sentence} (${code})`;
}
