import { isUtf8 } from "node:buffer";
import { wellFormed } from "../../core/text.ts";
import { findLongRuns } from "../long-runs.ts";
import { loadTokenCounter } from "../o200k-token-counter.ts";
import { encodeExactly } from "./exact-encode.ts";
import { isAscii, type RankOf } from "./merge-bytes.ts";
import { isSpecialId, specialTokenName } from "./special-tokens.ts";

/** Text to ids and back under o200k_harmony. */
export interface HarmonyCodec {
  /** Text that spells a special token becomes ordinary ids. Lone surrogates become U+FFFD. Exact for every string. */
  encode(text: string): readonly number[];
  /** Never throws. Ids outside the vocabulary are left out; special tokens are written by name. */
  decode(ids: Iterable<number>): DecodedText;
}

export interface DecodedText {
  /** Bytes that are no UTF-8 have become U+FFFD. */
  readonly text: string;
  /** False when there were such bytes. */
  readonly valid: boolean;
}

let loaded: Promise<HarmonyCodec> | undefined;

/** The codec, loaded on first use (the vocabulary has 2 MB) and shared afterwards. */
export function loadHarmonyCodec(): Promise<HarmonyCodec> {
  loaded ??= createCodec();
  return loaded;
}

/** A token's text, or its bytes where it has no text of its own. */
type Ranks = readonly (string | readonly number[] | undefined)[];

async function createCodec(): Promise<HarmonyCodec> {
  const [counter, { default: ranks }] = await Promise.all([
    loadTokenCounter(),
    import("gpt-tokenizer/bpeRanks/o200k_base"),
  ]);
  let rankOf: RankOf | undefined;
  return {
    encode(text) {
      const runs = findLongRuns(text);
      // The counter cuts long runs to stay linear and takes JavaScript's view of white space.
      if (runs.cuts.length === 0 && !/[\u0085\ufeff]/.test(text)) return counter.encode(text);
      rankOf ??= ranksByBytes(ranks);
      return encodeExactly(wellFormed(text), rankOf);
    },
    decode: (ids) => decodeIds(ids, ranks),
  };
}

function ranksByBytes(ranks: Ranks): RankOf {
  const byBytes = new Map<string, number>();
  for (const [id, token] of ranks.entries()) {
    if (token === undefined) continue;
    const bytes =
      typeof token === "string" ? (isAscii(token) ? token : latin1Of(Buffer.from(token, "utf8"))) : undefined;
    byBytes.set(bytes ?? latin1Of(Uint8Array.from(token as readonly number[])), id);
  }
  return (bytes) => byBytes.get(bytes);
}

function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

function decodeIds(ids: Iterable<number>, ranks: Ranks): DecodedText {
  let text = "";
  let valid = true;
  let bytes: number[] = [];
  // A token that is text begins a character, so it never completes the bytes before it.
  const append = (piece: string): void => {
    if (bytes.length > 0) {
      const buffer = Buffer.from(bytes);
      valid &&= isUtf8(buffer);
      text += new TextDecoder("utf-8", { ignoreBOM: true }).decode(buffer);
      bytes = [];
    }
    text += piece;
  };
  for (const id of ids) {
    const token = ranks[id];
    if (typeof token === "string") append(token);
    else if (token !== undefined) for (const byte of token) bytes.push(byte);
    else if (isSpecialId(id)) append(specialTokenName(id));
  }
  append("");
  return { text, valid };
}
