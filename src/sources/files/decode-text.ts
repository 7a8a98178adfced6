import { normalizeLineEnds, wellFormed } from "../../core/text.ts";

export type Decoded =
  | { readonly text: string; readonly note?: string }
  /** Why the bytes are not text. */
  | { readonly binary: string };

/** Bytes looked at to guess an encoding and to tell text from binary data. */
const SAMPLE_BYTES = 64 * 1024;
/** Share of control characters above which bytes are no text. */
const CONTROL_SHARE_MAX = 0.1;
/** Share of zero bytes in every second position that speaks for UTF-16. */
const ZERO_SHARE_MIN = 0.4;
const ZERO_SHARE_OTHER_MAX = 0.05;

/**
 * Bytes to text with `\n` line ends and without lone surrogates. A byte order mark decides; else UTF-16 is recognised
 * by where its zero bytes lie, then UTF-8 is tried, then windows-1252 with a note. A file in UTF-8 with a few broken
 * bytes stays UTF-8. Zero bytes otherwise, or mostly control characters, mean binary data.
 */
export function decodeText(bytes: Uint8Array): Decoded {
  const marked = byteOrderMark(bytes);
  if (marked !== undefined) return finish(new TextDecoder(marked).decode(bytes));
  if (bytes.includes(0)) {
    const guessed = guessUtf16(bytes);
    if (guessed === undefined) return { binary: "It contains zero bytes." };
    return finish(new TextDecoder(guessed).decode(bytes), `Read as ${guessed} by its zero bytes.`);
  }
  try {
    return finish(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return decodeBroken(bytes);
  }
}

function byteOrderMark(bytes: Uint8Array): "utf-8" | "utf-16le" | "utf-16be" | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return undefined;
}

function guessUtf16(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (bytes.length % 2 !== 0) return undefined;
  const end = Math.min(bytes.length, SAMPLE_BYTES);
  let even = 0;
  let odd = 0;
  for (let index = 0; index < end; index++) {
    if (bytes[index] !== 0) continue;
    if (index % 2 === 0) even++;
    else odd++;
  }
  const pairs = end / 2;
  if (odd / pairs >= ZERO_SHARE_MIN && even / pairs <= ZERO_SHARE_OTHER_MAX) return "utf-16le";
  if (even / pairs >= ZERO_SHARE_MIN && odd / pairs <= ZERO_SHARE_OTHER_MAX) return "utf-16be";
  return undefined;
}

function decodeBroken(bytes: Uint8Array): Decoded {
  const lenient = new TextDecoder("utf-8").decode(bytes);
  let broken = 0;
  let sound = 0;
  for (let index = 0; index < lenient.length; index++) {
    const unit = lenient.charCodeAt(index);
    if (unit === 0xfffd) broken++;
    else if (unit > 0x7f) sound++;
  }
  // In another encoding hardly any byte beyond ASCII forms valid UTF-8; where most do, the file is damaged UTF-8.
  if (sound > broken)
    return finish(lenient, `Not valid UTF-8: ${broken.toLocaleString("en-US")} places were replaced.`);
  return finish(decodeWindows1252(bytes), "Not valid UTF-8; read as windows-1252.");
}

/** Characters of the bytes 0x80 to 0x9F. Spelled out because Node 20 decodes this encoding as if it were latin1. */
const WINDOWS_1252 = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

function decodeWindows1252(bytes: Uint8Array): string {
  const latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  return latin1.replace(/[\x80-\x9f]/g, (character) => WINDOWS_1252.charAt(character.charCodeAt(0) - 0x80));
}

function finish(text: string, note?: string): Decoded {
  if (mostlyControl(text)) return { binary: "It is mostly control characters." };
  const clean = wellFormed(normalizeLineEnds(text));
  return note === undefined ? { text: clean } : { text: clean, note };
}

function mostlyControl(text: string): boolean {
  const end = Math.min(text.length, SAMPLE_BYTES);
  let control = 0;
  for (let index = 0; index < end; index++) {
    const unit = text.charCodeAt(index);
    const isSpace = (unit >= 0x09 && unit <= 0x0d) || unit === 0x1b;
    if ((unit < 0x20 && !isSpace) || (unit >= 0x7f && unit <= 0x9f)) control++;
  }
  return control > end * CONTROL_SHARE_MAX;
}
