/**
 * The deepest nesting of arrays and objects in JSON text, in one pass without recursion and without judging whether it
 * is valid. `indentUnits` bounds what pretty-printing would add: deep and wide data can grow a hundredfold.
 */
export function measureJson(text: string): { readonly depth: number; readonly indentUnits: number } {
  let depth = 0;
  let deepest = 0;
  let indentUnits = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === QUOTE) {
      index = endOfString(text, index + 1);
    } else if (unit === OPEN_BRACKET || unit === OPEN_BRACE) {
      depth++;
      deepest = Math.max(deepest, depth);
      indentUnits += 2 * depth + 1;
    } else if (unit === CLOSE_BRACKET || unit === CLOSE_BRACE) {
      depth = Math.max(0, depth - 1);
      indentUnits += 2 * depth + 1;
    } else if (unit === COMMA) {
      indentUnits += 2 * depth + 1;
    }
  }
  return { depth: deepest, indentUnits };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

function endOfString(text: string, from: number): number {
  let index = from;
  while (index < text.length) {
    const unit = text.charCodeAt(index);
    if (unit === QUOTE) return index;
    index += unit === BACKSLASH ? 2 : 1;
  }
  return text.length;
}
