/**
 * Where a text has to be cut so that no piece of the tokenizer's pre-splitting becomes long: byte-pair merging is
 * quadratic in a piece's length, and a piece is a run of letters, of white space or of other signs.
 */

/** Units of one unbroken run after which a cut is made. Words of natural language stay far below it. */
export const RUN_UNITS_MAX = 256;

export interface LongRuns {
  /** Offsets at which to cut, ascending; empty for nearly every text. Never inside a surrogate pair. */
  readonly cuts: readonly number[];
  /** False when the text has a lone surrogate. */
  readonly wellFormed: boolean;
}

const SPACE = 1;
const LETTER = 2;
const DIGIT = 3;
const SIGN = 4;
/** A combining mark continues a run of letters as well as one of signs. */
const MARK = 5;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SLASH = 0x2f;

const classOfUnit = new Uint8Array(0x10000);

function classify(character: string): number {
  if (/^\s$/u.test(character)) return SPACE;
  if (/^\p{L}$/u.test(character)) return LETTER;
  if (/^\p{N}$/u.test(character)) return DIGIT;
  return /^\p{M}$/u.test(character) ? MARK : SIGN;
}

function classAt(text: string, offset: number, unit: number, paired: boolean): number {
  if (paired) return classify(text.slice(offset, offset + 2));
  const known = classOfUnit[unit] ?? 0;
  if (known !== 0) return known;
  const found = classify(text.charAt(offset));
  classOfUnit[unit] = found;
  return found;
}

/** Whether a character of class `found` may lie in the same piece as the run before it. */
function continuesRun(found: number, unit: number, runClass: number, afterLineEnd: boolean): boolean {
  const isLineEnd = unit === LINE_FEED || unit === CARRIAGE_RETURN;
  // A piece of signs takes the line ends and slashes after it along, in any order.
  if (runClass === SIGN && (isLineEnd || afterLineEnd)) return isLineEnd || unit === SLASH;
  return found === runClass || (found === MARK && (runClass === LETTER || runClass === SIGN));
}

/**
 * Finds the cuts in one linear pass. A run starts anew wherever the class of character changes, and a mark after white
 * space or a digit starts one too: so the cuts in a text that follows a line end do not depend on what came before it,
 * and counts of blocks that end in line ends add up (a text that begins with a slash apart: the vocabulary itself joins
 * that to the signs and line ends before it).
 */
export function findLongRuns(text: string): LongRuns {
  const cuts: number[] = [];
  let wellFormed = true;
  let runClass = SPACE;
  let runStart = 0;
  let afterLineEnd = false;
  for (let offset = 0; offset < text.length; ) {
    const unit = text.charCodeAt(offset);
    let paired = false;
    if (unit >= 0xd800 && unit <= 0xdfff) {
      const next = text.charCodeAt(offset + 1);
      paired = unit <= 0xdbff && next >= 0xdc00 && next <= 0xdfff;
      if (!paired) wellFormed = false;
    }
    const found = classAt(text, offset, unit, paired);
    if (!continuesRun(found, unit, runClass, afterLineEnd)) {
      runClass = found === MARK ? SIGN : found;
      runStart = offset;
    } else if (offset - runStart >= RUN_UNITS_MAX && runClass !== DIGIT) {
      cuts.push(offset);
      runStart = offset;
    }
    afterLineEnd = unit === LINE_FEED || unit === CARRIAGE_RETURN || (afterLineEnd && unit === SLASH);
    offset += paired ? 2 : 1;
  }
  return { cuts, wellFormed };
}
