import type { Ignore } from "ignore";
import type { FileSystem } from "./file-system.ts";
import { readBytes } from "./read-bytes.ts";

/** In the order in which their rules are applied: of two that match, the later one decides. */
export const IGNORE_FILES = [".gitignore", ".winnowignore"];

/** A rule becomes a regular expression that backtracks; these bounds keep matching one name cheap. */
const RULE_UNITS_MAX = 1_000;
const RULE_WILDCARDS_MAX = 6;

/** The rules that hold in a folder: its own ignore files and those of the folders above, nearest first. */
export interface IgnoreRules {
  readonly rules: Ignore;
  /** Key prefix of the folder that the rules are relative to. */
  readonly prefix: string;
  readonly above: IgnoreRules | undefined;
}

/**
 * Adds the rules of a folder's ignore files. Unreadable or oversized ignore files do not count; the caller hears of
 * them through `onProblem`, because what they would have hidden gets indexed.
 */
export async function rulesOfFolder(
  fileSystem: FileSystem,
  folder: { readonly path: string; readonly prefix: string; readonly names: ReadonlySet<string> },
  above: IgnoreRules | undefined,
  bytesMax: number,
  onProblem: (name: string, detail: string) => void,
): Promise<IgnoreRules | undefined> {
  const usable: string[] = [];
  for (const name of IGNORE_FILES) {
    if (!folder.names.has(name)) continue;
    const read = await readBytes(fileSystem, `${folder.path}/${name}`, bytesMax);
    if ("error" in read || "notAFile" in read) onProblem(name, "It could not be read, so its rules do not apply.");
    else if ("tooLarge" in read) onProblem(name, "It is too large for an ignore file, so its rules do not apply.");
    else {
      const rules = new TextDecoder().decode(read.bytes).split(/\r?\n/);
      const cheap = rules.filter(isCheap);
      if (cheap.length < rules.length) onProblem(name, "Rules of it with too many wildcards do not apply.");
      for (const rule of cheap) usable.push(rule);
    }
  }
  if (usable.every((line) => line.trim() === "" || line.startsWith("#"))) return above;
  const { default: ignore } = await import("ignore");
  const ignoreCase = process.platform === "win32" || process.platform === "darwin";
  return { rules: ignore({ ignorecase: ignoreCase }).add(usable), prefix: folder.prefix, above };
}

function isCheap(line: string): boolean {
  if (line.startsWith("#")) return true;
  const wildcards = line.replace(/\*\*/g, "*").match(/[*?[]/g)?.length ?? 0;
  return line.length <= RULE_UNITS_MAX && wildcards <= RULE_WILDCARDS_MAX;
}

/** Whether the entry is ignored; the nearest folder whose rules say anything decides. `key` ends in `/` for folders. */
export function isIgnored(rules: IgnoreRules | undefined, key: string): boolean {
  for (let level = rules; level !== undefined; level = level.above) {
    const verdict = level.rules.test(key.slice(level.prefix.length));
    if (verdict.ignored || verdict.unignored) return verdict.ignored;
  }
  return false;
}

/**
 * The rules for inside a folder that is not ignored. Where rules from further above would ignore it and nearer ones
 * brought it back, the former count from this folder on: else they would ignore everything inside again.
 */
export function enterFolder(rules: IgnoreRules | undefined, folderKey: string): IgnoreRules | undefined {
  if (rules === undefined) return undefined;
  const above = enterFolder(rules.above, folderKey);
  const against = rules.rules.test(folderKey.slice(rules.prefix.length)).ignored;
  if (!against && above === rules.above) return rules;
  return { rules: rules.rules, prefix: against ? folderKey : rules.prefix, above };
}
