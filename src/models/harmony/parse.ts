import type { HarmonyCodec } from "./codec.ts";
import { type HeaderPiece, type ParsedHeader, readHeader } from "./parse-header.ts";
import { type Repair, RepairList } from "./repairs.ts";
import {
  CALL,
  CHANNEL,
  CONSTRAIN,
  END,
  isKnownId,
  isSpecialId,
  MESSAGE,
  RETURN,
  START,
  specialTokenName,
} from "./special-tokens.ts";

export interface ParsedMessage extends ParsedHeader {
  readonly text: string;
  /** What ended it: a special token, or `cut` where there was none. */
  readonly end: "end" | "return" | "call" | "cut";
  /** Its ids in the output as given, `start` inclusive, `stop` exclusive. */
  readonly start: number;
  readonly stop: number;
}

export interface ParsedTokens {
  readonly messages: readonly ParsedMessage[];
  /** Every place where the output was not what the format asks for, in order. Empty for a well-formed one. */
  readonly repairs: readonly Repair[];
}

/** Messages of one output; a run of nothing but ends and starts must not become millions. */
const MESSAGES_MAX = 1_000;
/** Pieces of a header that a misplaced `<|channel|>` is given to become one. */
const HEADER_PIECES_MAX = 6;

/** A special token, or a run of ordinary ids with its text. */
interface Piece {
  readonly special: number | undefined;
  readonly text: string;
  readonly at: number;
  readonly stop: number;
}

const ENDS: ReadonlyMap<number, ParsedMessage["end"]> = new Map([
  [END, "end"],
  [RETURN, "return"],
  [CALL, "call"],
]);

/**
 * Reads messages from ids. `completion` (default): the ids go on after `<|start|>assistant`, as sampled; `conversation`:
 * they are whole messages. Accepts anything: never throws, takes time linear in the ids, and lists what it repaired.
 */
export function parseHarmony(
  ids: readonly number[],
  codec: HarmonyCodec,
  form: "completion" | "conversation" = "completion",
): ParsedTokens {
  const repairs = new RepairList();
  const pieces = splitPieces(ids, codec, repairs);
  return new Parser(pieces, ids.length, repairs).parse(form === "completion");
}

function splitPieces(ids: readonly number[], codec: HarmonyCodec, repairs: RepairList): Piece[] {
  const pieces: Piece[] = [];
  let run: number[] = [];
  let runStart = 0;
  const flush = (stop: number): void => {
    if (run.length === 0) return;
    const { text, valid } = codec.decode(run);
    if (!valid) repairs.add("invalid_utf8", runStart);
    pieces.push({ special: undefined, text, at: runStart, stop });
    run = [];
  };
  for (const [at, id] of ids.entries()) {
    if (!isKnownId(id)) repairs.add("invalid_id", at, String(id));
    else if (isSpecialId(id)) {
      if (!isStructural(id)) repairs.add("stray_special", at, specialTokenName(id));
      else {
        flush(at);
        pieces.push({ special: id, text: "", at, stop: at + 1 });
      }
    } else {
      if (run.length === 0) runStart = at;
      run.push(id);
    }
  }
  flush(ids.length);
  return pieces;
}

function isStructural(id: number): boolean {
  return ENDS.has(id) || id === START || id === MESSAGE || id === CHANNEL || id === CONSTRAIN;
}

class Parser {
  readonly #pieces: readonly Piece[];
  readonly #length: number;
  readonly #repairs: RepairList;
  readonly #messages: ParsedMessage[] = [];
  #position = 0;

  constructor(pieces: readonly Piece[], length: number, repairs: RepairList) {
    this.#pieces = pieces;
    this.#length = length;
    this.#repairs = repairs;
  }

  parse(completion: boolean): ParsedTokens {
    for (let first = true; this.#position < this.#pieces.length; first = false) {
      if (this.#messages.length >= MESSAGES_MAX) {
        this.#repairs.add("too_many_messages", this.#at());
        break;
      }
      this.#message(first && completion);
    }
    return { messages: this.#messages, repairs: this.#repairs.items };
  }

  #at(): number {
    return this.#pieces[this.#position]?.at ?? this.#length;
  }

  /** Reads one message; always moves on by at least one piece. `expected` says that no `<|start|>` is due. */
  #message(expected: boolean): void {
    const start = this.#at();
    const first = this.#pieces[this.#position];
    const begun = first?.special === START;
    if (begun) this.#position++;
    else if (!expected && this.#skipStray()) return;
    else if (!expected) this.#repairs.add("missing_start", start);
    const header: HeaderPiece[] = [];
    let after: HeaderPiece["after"] = "start";
    for (let piece = this.#pieces[this.#position]; piece !== undefined; piece = this.#pieces[this.#position]) {
      if (piece.special === CHANNEL || piece.special === CONSTRAIN) {
        after = piece.special === CHANNEL ? "channel" : "constrain";
        if (this.#pieces[this.#position + 1]?.special !== undefined) header.push({ after, text: "" });
      } else if (piece.special === undefined) {
        header.push({ after, text: piece.text });
      } else break;
      this.#position++;
    }
    const ended = this.#pieces[this.#position];
    if (ended?.special === MESSAGE) {
      this.#position++;
      const { header: parsed } = readHeader(header, {
        implied: !begun,
        complete: true,
        at: start,
        repairs: this.#repairs,
      });
      this.#content(parsed, start);
    } else this.#headerOnly(header, start, !begun, ended);
  }

  /** Ends without a message and white space between messages mean nothing. */
  #skipStray(): boolean {
    const piece = this.#pieces[this.#position];
    if (piece === undefined) return false;
    const next = this.#pieces[this.#position + 1];
    const blank =
      piece.special === undefined && piece.text.trim() === "" && (next === undefined || next.special === START);
    const end = piece.special !== undefined && ENDS.has(piece.special);
    if (!blank && !end) return false;
    this.#repairs.add(
      blank ? "stray_text" : "stray_special",
      piece.at,
      blank ? undefined : specialTokenName(piece.special ?? 0),
    );
    this.#position++;
    return true;
  }

  /** A header that no `<|message|>` ended: whatever is no header in it is the message's text. */
  #headerOnly(pieces: readonly HeaderPiece[], start: number, implied: boolean, ended: Piece | undefined): void {
    const end = ended?.special === undefined ? undefined : ENDS.get(ended.special);
    if (end !== undefined) this.#position++;
    const { header, rest } = readHeader(pieces, { implied, complete: false, at: start, repairs: this.#repairs });
    if (rest.trim() === "") {
      if (pieces.length > 0 || end !== undefined) this.#repairs.add("cut_header", start);
      return;
    }
    this.#repairs.add("missing_message", start, rest);
    this.#push(header, rest.trim(), end ?? "cut", start);
  }

  #content(header: ParsedHeader, start: number): void {
    let text = "";
    for (let piece = this.#pieces[this.#position]; piece !== undefined; piece = this.#pieces[this.#position]) {
      if (piece.special === undefined) text += piece.text;
      else {
        const end = ENDS.get(piece.special);
        if (end !== undefined) {
          this.#position++;
          this.#push(header, text, end, start);
          return;
        }
        if (piece.special === START || (piece.special === CHANNEL && this.#headerFollows())) {
          this.#repairs.add("missing_end", piece.at);
          this.#push(header, text, "cut", start);
          return;
        }
        this.#repairs.add("stray_special", piece.at, specialTokenName(piece.special));
      }
      this.#position++;
    }
    this.#push(header, text, "cut", start);
  }

  /** Whether a `<|message|>` comes before anything that would end the header that this `<|channel|>` may begin. */
  #headerFollows(): boolean {
    for (let i = this.#position + 1; i <= this.#position + HEADER_PIECES_MAX; i++) {
      const special = this.#pieces[i]?.special;
      if (special === MESSAGE) return true;
      if (this.#pieces[i] === undefined || special === START || (special !== undefined && ENDS.has(special)))
        return false;
    }
    return false;
  }

  #push(header: ParsedHeader, text: string, end: ParsedMessage["end"], start: number): void {
    this.#messages.push({ ...header, text, end, start, stop: this.#at() });
  }
}
