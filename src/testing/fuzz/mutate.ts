import { INPUT_BYTES_MAX, mutateBlindly } from "./blind.ts";
import type { Chance } from "./chance.ts";
import { mutateJson } from "./json-tree.ts";
import { type GrammarName, mutatePieces } from "./pieces.ts";

/** What an input is made of, besides bytes. */
export type Structure = "json" | "json-lines" | GrammarName;

const ROUNDS_MAX = 4;
/** How often a change knows nothing of the structure. */
const BLIND_SHARE = 0.4;

/** One fixture changed a few times, each time by its bytes or by its structure. At most `INPUT_BYTES_MAX` come out. */
export function mutate(
  fixtures: readonly Buffer[],
  structures: readonly Structure[],
  chance: Chance,
  blindShare = BLIND_SHARE,
): Buffer {
  let bytes: Buffer = fixtures[chance.below(fixtures.length)] ?? Buffer.alloc(0);
  for (let left = chance.size(ROUNDS_MAX); left > 0; left--) {
    const structure = structures[chance.below(structures.length)];
    if (structure === undefined || chance.happens(blindShare)) bytes = mutateBlindly(bytes, chance, fixtures);
    else
      bytes = Buffer.from(mutateStructure(bytes.toString("utf8"), structure, chance, blindShare)).subarray(
        0,
        INPUT_BYTES_MAX,
      );
  }
  return Buffer.from(bytes);
}

function mutateStructure(text: string, structure: Structure, chance: Chance, blindShare: number): string {
  if (structure === "json") return mutateJson(text, chance) ?? mutatePieces(text, "text", chance);
  if (structure !== "json-lines") return mutatePieces(text, structure, chance);
  const lines = text.split("\n");
  const at = chance.below(lines.length);
  const changed = mutateJson(lines[at] ?? "", chance);
  if (changed === undefined || chance.happens(blindShare)) return mutatePieces(text, "text", chance);
  lines[at] = changed;
  return lines.join("\n");
}
