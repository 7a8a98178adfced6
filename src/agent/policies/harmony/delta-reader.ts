import type { HarmonyCodec } from "../../../models/harmony/codec.ts";
import { CALL, END, isSpecialId, MESSAGE, RETURN, START } from "../../../models/harmony/special-tokens.ts";

/** Ids that wait for the rest of a character; no character takes more. */
const PENDING_MAX = 8;

/**
 * Turns the ids of an output into pieces of reasoning and text while they arrive, for display: what is decided on is
 * parsed from the whole. Calls are not shown.
 */
export class DeltaReader {
  readonly #codec: HarmonyCodec;
  readonly #pass: (kind: "reasoning" | "text", delta: string) => void;
  #header: number[] = [];
  #kind: "header" | "reasoning" | "text" | "call" = "header";
  #pending: number[] = [];

  constructor(codec: HarmonyCodec, pass: (kind: "reasoning" | "text", delta: string) => void) {
    this.#codec = codec;
    this.#pass = pass;
  }

  push(ids: readonly number[]): void {
    for (const id of ids) {
      if (id === START || id === END || id === RETURN || id === CALL) {
        this.#flush();
        this.#header = [];
        this.#kind = "header";
      } else if (id === MESSAGE && this.#kind === "header") this.#kind = this.#kindOf();
      else if (this.#kind === "header") this.#header.push(id);
      else if (this.#kind !== "call" && !isSpecialId(id)) this.#pending.push(id);
    }
    const { valid } = this.#codec.decode(this.#pending);
    if (valid || this.#pending.length > PENDING_MAX) this.#flush();
  }

  #kindOf(): "reasoning" | "text" | "call" {
    const header = this.#codec.decode(this.#header).text;
    if (header.includes("to=")) return "call";
    return /final|commentary/.test(header) ? "text" : "reasoning";
  }

  #flush(): void {
    const { text } = this.#codec.decode(this.#pending);
    this.#pending = [];
    if (text !== "" && (this.#kind === "reasoning" || this.#kind === "text")) this.#pass(this.#kind, text);
  }
}
