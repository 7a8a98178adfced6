import type { HarmonyRole } from "./conversation.ts";
import type { RepairList } from "./repairs.ts";

/** A piece of a header: the ordinary text after its beginning or after a `<|channel|>` or `<|constrain|>`. */
export interface HeaderPiece {
  readonly after: "start" | "channel" | "constrain";
  readonly text: string;
}

export interface ParsedHeader {
  readonly role: HarmonyRole;
  readonly name?: string;
  readonly recipient?: string;
  readonly channel?: string;
  readonly contentType?: string;
}

export interface HeaderReading {
  readonly header: ParsedHeader;
  /** Text that belongs to the message, where there was no `<|message|>`; else empty. */
  readonly rest: string;
}

const ROLES: readonly string[] = ["system", "developer", "user", "assistant", "tool"] satisfies HarmonyRole[];
const CHANNELS: readonly string[] = ["analysis", "commentary", "final"];
/** Words that are a content type where they stand without `<|constrain|>`. */
const CONTENT_TYPES: readonly string[] = ["json", "code", "text"];

/**
 * Reads a header from its pieces. `implied` is the role of a message whose role stood before the output (a completion);
 * `complete` is false where `<|message|>` never came, so that all but the header's first words is text. Never throws.
 */
export function readHeader(
  pieces: readonly HeaderPiece[],
  scope: { readonly implied: boolean; readonly complete: boolean; readonly at: number; readonly repairs: RepairList },
): HeaderReading {
  const reader = new HeaderReader(scope.implied, scope.complete, scope.at, scope.repairs);
  for (const [i, piece] of pieces.entries()) {
    if (piece.after === "channel") reader.channelPiece(piece.text);
    else if (piece.after === "constrain") reader.constrainPiece(piece.text);
    else reader.rolePiece(piece.text, scope.implied && i === 0);
  }
  return reader.finish();
}

class HeaderReader {
  readonly #complete: boolean;
  readonly #at: number;
  readonly #repairs: RepairList;
  #role: HarmonyRole | undefined;
  #name: string | undefined;
  #channel: string | undefined;
  #recipient: string | undefined;
  #contentType: string | undefined;
  readonly #words: string[] = [];
  #rest = "";

  constructor(implied: boolean, complete: boolean, at: number, repairs: RepairList) {
    if (implied) this.#role = "assistant";
    this.#complete = complete;
    this.#at = at;
    this.#repairs = repairs;
  }

  rolePiece(text: string, implied: boolean): void {
    const word = /^\s*(\S*)/.exec(text)?.[1] ?? "";
    const after = text.slice(text.indexOf(word) + word.length);
    if (word === "" || word.startsWith("to=")) {
      this.#text(text);
      return;
    }
    const colon = word.indexOf(":");
    const base = colon < 0 ? word : word.slice(0, colon);
    const glued = CHANNELS.find((channel) => word === `assistant${channel}` || (implied && word === channel));
    if (glued !== undefined) {
      this.#role = "assistant";
      this.#channel = glued;
      this.#repairs.add("missing_channel_token", this.#at, word);
    } else if (implied && base !== "assistant") {
      this.#text(text);
      return;
    } else if (ROLES.includes(base) && base !== "tool") {
      this.#role = base as HarmonyRole;
      if (colon >= 0) this.#name = word.slice(colon + 1);
    } else {
      this.#role = "tool";
      this.#name = word;
    }
    this.#text(after);
  }

  channelPiece(text: string): void {
    const word = /^\s*([^\s<{["']*)/.exec(text)?.[1] ?? "";
    if (this.#channel === undefined && word !== "") this.#channel = word;
    else this.#repairs.add("duplicate_header", this.#at, text);
    this.#text(text.slice(text.indexOf(word) + word.length));
  }

  constrainPiece(text: string): void {
    const word = /^\s*([A-Za-z][\w-]*)?/.exec(text)?.[1] ?? "";
    if (this.#contentType === undefined) this.#contentType = `<|constrain|>${word}`;
    else this.#repairs.add("duplicate_header", this.#at, text);
    this.#text(text.slice(text.indexOf(word) + word.length));
  }

  /** The rest of a piece: words of a header, or a recipient and then text where the header never ended. */
  #text(text: string): void {
    if (this.#complete) {
      for (const word of text.split(/\s+/)) if (word !== "") this.#words.push(word);
      return;
    }
    const recipient = this.#rest === "" ? /^\s*to=([^\s{["']*)/.exec(text) : null;
    if (recipient !== null && this.#recipient === undefined) this.#recipient = recipient[1] ?? "";
    this.#rest += recipient === null ? text : text.slice(recipient[0].length);
  }

  finish(): HeaderReading {
    this.#readWords();
    if (this.#role === undefined) {
      this.#role = "assistant";
      this.#repairs.add("missing_role", this.#at);
    }
    const header: ParsedHeader = {
      role: this.#role,
      ...(this.#name === undefined ? {} : { name: this.#name }),
      ...(this.#recipient === undefined ? {} : { recipient: this.#recipient }),
      ...(this.#channel === undefined ? {} : { channel: this.#channel }),
      ...(this.#contentType === undefined ? {} : { contentType: this.#contentType }),
    };
    return { header, rest: this.#rest };
  }

  #readWords(): void {
    const plain: string[] = [];
    for (let i = 0; i < this.#words.length; i++) {
      const word = this.#words[i] ?? "";
      if (!word.startsWith("to=")) plain.push(word);
      else if (this.#recipient !== undefined) this.#repairs.add("duplicate_header", this.#at, word);
      // `to= functions.x`: the space is the model's.
      else this.#recipient = word === "to=" ? (this.#words[++i] ?? "") : word.slice("to=".length);
    }
    const last = plain.at(-1);
    if (last === undefined) return;
    const isType = this.#contentType === undefined && (CONTENT_TYPES.includes(last) || this.#recipient !== undefined);
    if (isType || (plain.length > 1 && this.#contentType === undefined)) this.#contentType = plain.pop();
    if (this.#recipient === undefined && plain.length > 0) {
      this.#recipient = plain.pop();
      this.#repairs.add("recipient_without_to", this.#at, this.#recipient);
    }
    if (plain.length > 0) this.#repairs.add("header_text", this.#at, plain.join(" "));
  }
}
