import { oneLine } from "../../core/text.ts";
import type { Redactor } from "../redaction/redactor.ts";
import { secretFileInCommand, secretFileName } from "../redaction/secret-files.ts";
import { type Fields, field } from "./record.ts";

/** Arguments that hold a path or several. */
const PATH_KEYS = ["file_path", "path", "notebook_path", "filePath", "file", "filename", "paths", "files", "glob"];
/** Arguments that hold a line for a shell or a program. */
const COMMAND_KEYS = ["command", "cmd", "script", "code"];
/** Arguments that hold such a line, in words or whole. */
const WORD_KEYS = new Set([...COMMAND_KEYS, "args", "argv", "arguments"]);
/** What tells most about a call, best first; where none is there, the first short text does. */
const TELLING_KEYS = [
  "command",
  "file_path",
  "notebook_path",
  "pattern",
  "query",
  "url",
  "path",
  "skill",
  "description",
];
/** A command that may carry the content of the secret file it names. */
const CARRIES_CONTENT = /[<>]|\b(?:tee|sed|awk|perl|echo|printf|export|dd)\b/;
/** Arguments that say where and why, not what; shown even for a secret file. */
const PLAIN_KEYS = new Set([...PATH_KEYS, "description", "offset", "limit", "pattern", "replace_all", "timeout"]);

const PATH_UNITS_MAX = 500;
const FILES_MAX = 50;
const LINE_UNITS_MAX = 160;

/** The secret file whose content a call may show or write, by what its arguments name; undefined for all others. */
export function secretFileOf(input: Fields): string | undefined {
  for (const path of pathsIn(input)) {
    const name = secretFileName(path);
    if (name !== undefined) return name;
  }
  for (const key of COMMAND_KEYS) {
    for (const command of textsOf(field(input, key))) {
      const name = secretFileInCommand(command);
      if (name !== undefined) return name;
    }
  }
  return undefined;
}

/** Paths that the arguments name, each once, redacted. */
export function filesOf(input: Fields, redactor: Redactor): string[] {
  const paths = pathsIn(input).filter((path) => !/[*?{}\n]/.test(path));
  return [...new Set(paths.map((path) => redactor.text(path).trim()))]
    .filter((path) => path !== "")
    .slice(0, FILES_MAX);
}

function pathsIn(input: Fields): string[] {
  return PATH_KEYS.flatMap((key) => textsOf(field(input, key))).filter((path) => path.length <= PATH_UNITS_MAX);
}

function textsOf(value: unknown): string[] {
  const members: readonly unknown[] = Array.isArray(value) ? value : [value];
  return members.filter((member) => typeof member === "string");
}

/** Arguments as they may be shown: redacted, and without the content of secret files. */
export function redactArguments(
  input: Fields,
  redactor: Redactor,
): readonly (readonly [name: string, value: unknown])[] {
  const secret = secretFileOf(input);
  return Object.entries(input).map(([name, value]) => [redactor.text(name), shown(name, value, secret, redactor)]);
}

function shown(name: string, given: unknown, secret: string | undefined, redactor: Redactor): unknown {
  // What is a password in a line is one by the words before it.
  const isWords = WORD_KEYS.has(name) && Array.isArray(given) && given.every((word) => typeof word === "string");
  const value: unknown = isWords ? given.join(" ") : given;
  const isPlain = value === null || typeof value === "number" || typeof value === "boolean";
  if (secret === undefined || isPlain || PLAIN_KEYS.has(name)) return redactor.value(value, name);
  const isReading = COMMAND_KEYS.includes(name) && typeof value === "string" && !CARRIES_CONTENT.test(value);
  return isReading ? redactor.value(value, name) : redactor.contents(secret);
}

export interface CallGist {
  /** On one line; empty where the call has no arguments. */
  readonly line: string;
  /** The argument that the line holds whole. */
  readonly argument: string | undefined;
}

/** What tells most about a call: its command, its file, its query; where no argument is a text, what they are. */
export function callGist(input: Fields, redactor: Redactor): CallGist {
  const isText = (name: string): boolean => textsOf(field(input, name)).some((text) => text.trim() !== "");
  const key = TELLING_KEYS.find(isText) ?? Object.keys(input).find(isText);
  if (key === undefined) {
    const given = JSON.stringify(Object.fromEntries(redactArguments(input, redactor)));
    return { line: given === "{}" ? "" : oneLine(given, LINE_UNITS_MAX), argument: undefined };
  }
  const value = shown(key, field(input, key), secretFileOf(input), redactor);
  const text = textsOf(value).join(" ").trim();
  const end = text.indexOf("\n");
  const line = oneLine(end === -1 ? text : `${text.slice(0, end)} …`, LINE_UNITS_MAX);
  return { line, argument: line === text ? key : undefined };
}

/** As `callGist`, the line alone. */
export const callLine = (input: Fields, redactor: Redactor): string => callGist(input, redactor).line;
