import type { HarmonyCodec } from "../../../models/harmony/codec.ts";
import {
  isSpecialId,
  ORDINARY_IDS_END,
  specialTokenName,
  VOCABULARY_SIZE,
} from "../../../models/harmony/special-tokens.ts";

const SPECIAL_NAME = /<\|[a-z0-9_]{1,30}\|>/g;

let idsByName: ReadonlyMap<string, number> | undefined;

/**
 * Ids of an output that is known as text only, in which special tokens stand by name: for servers that give no ids. The
 * one place where text becomes structure, since a model writes structure; what it quotes of special tokens does too.
 */
export function encodeOutput(text: string, codec: HarmonyCodec): number[] {
  idsByName ??= specialIds();
  const ids: number[] = [];
  const write = (plain: string): void => {
    for (const id of plain === "" ? [] : codec.encode(plain)) ids.push(id);
  };
  let end = 0;
  for (const match of text.matchAll(SPECIAL_NAME)) {
    const id = idsByName.get(match[0]);
    if (id === undefined) continue;
    write(text.slice(end, match.index));
    ids.push(id);
    end = match.index + match[0].length;
  }
  write(text.slice(end));
  return ids;
}

function specialIds(): ReadonlyMap<string, number> {
  const byName = new Map<string, number>();
  for (let id = ORDINARY_IDS_END; id < VOCABULARY_SIZE; id++) {
    if (isSpecialId(id)) byName.set(specialTokenName(id), id);
  }
  return byName;
}
